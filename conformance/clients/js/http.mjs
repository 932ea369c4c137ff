// What a library for OAuth alone is asked to do: requests of the API, with a token that it refreshes when it has expired.
import {JOB} from "./driver.mjs";

// Returns the client of a driver. `token()` gives the access token that is good now, `revoke()` ends the connection.
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

// Returns whether what lives for `seconds` from now has ended, whenever it is called.
export const clock = (seconds) => {
    const end = Date.now() + seconds * 1000;
    return () => Date.now() >= end;
};
