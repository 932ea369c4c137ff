// simple-oauth2, with a registered client: the authorization code grant, refresh and revocation.
import {AuthorizationCode} from "simple-oauth2";
import {JOB, lead, run} from "./driver.mjs";
import {http} from "./http.mjs";

run(async () => {
    const client = new AuthorizationCode({
        client: JOB.client,
        auth: {
            tokenHost: JOB.url,
            tokenPath: "/oauth/token",
            revokePath: "/oauth/revoke",
            authorizePath: "/oauth/authorize",
        },
    });
    const page = client.authorizeURL({redirect_uri: JOB.redirect, scope: JOB.scope, state: "a state"});
    const code = (await lead(page)).searchParams.get("code");
    let tokens = await client.getToken({code, redirect_uri: JOB.redirect});
    const token = async () => {
        if (tokens.expired()) tokens = await tokens.refresh();
        return tokens.token.access_token;
    };
    return http(token, async () => {
        await tokens.revoke("refresh_token");
        return [true, ""];
    });
});
