// API requests for OAuth libraries, with a token that the library refreshes once it has expired.
import {JOB} from "./driver.mjs";

// Returns a driver's client. `token()` returns a valid access token, `revoke()` revokes it.
export const http = (token, revoke) => ({
    async request({method, path, body}) {
        const answer = await fetch(JOB.url + path, {
            method,
            headers: {authorization: `Bearer ${await token()}`, "content-type": "application/json"},
            body: body && JSON.stringify(body),
        });
        return [answer.ok, await answer.text()];
    },
    revoke,
});

// Returns a function that tells whether `seconds` have passed since.
export const clock = (seconds) => {
    const end = Date.now() + seconds * 1000;
    return () => Date.now() >= end;
};
