// openid-client: discovery with registration, the authorization code grant, refresh and revocation.
import * as openid from "openid-client";
import {JOB, lead, run} from "./driver.mjs";
import {clock, http} from "./http.mjs";

run(async () => {
    const config = await openid.dynamicClientRegistration(
        new URL(JOB.url),
        {client_name: JOB.name, redirect_uris: [JOB.redirect], token_endpoint_auth_method: "client_secret_post"},
        undefined,
        {algorithm: "oauth2", execute: [openid.allowInsecureRequests]},
    );
    const pkceCodeVerifier = openid.randomPKCECodeVerifier();
    const expectedState = openid.randomState();
    const page = openid.buildAuthorizationUrl(config, {
        redirect_uri: JOB.redirect,
        scope: JOB.scope,
        state: expectedState,
        code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: "S256",
    });
    let tokens = await openid.authorizationCodeGrant(config, await lead(page), {pkceCodeVerifier, expectedState});
    let expired = clock(tokens.expires_in);
    const token = async () => {
        if (!expired()) return tokens.access_token;
        tokens = await openid.refreshTokenGrant(config, tokens.refresh_token);
        expired = clock(tokens.expires_in);
        return tokens.access_token;
    };
    return http(token, async () => {
        await openid.tokenRevocation(config, tokens.refresh_token);
        return [true, ""];
    });
});
