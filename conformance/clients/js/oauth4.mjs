// oauth4webapi: discovery, registration, the authorization code grant, refresh and revocation.
import * as oauth from "oauth4webapi";
import {JOB, lead, run} from "./driver.mjs";
import {clock, http} from "./http.mjs";

const options = {[oauth.allowInsecureRequests]: true};

run(async () => {
    const issuer = new URL(JOB.url);
    const server = await oauth.processDiscoveryResponse(
        issuer,
        await oauth.discoveryRequest(issuer, {algorithm: "oauth2", ...options}),
    );
    const client = await oauth.processDynamicClientRegistrationResponse(
        await oauth.dynamicClientRegistrationRequest(
            server,
            {client_name: JOB.name, redirect_uris: [JOB.redirect], token_endpoint_auth_method: "client_secret_basic"},
            options,
        ),
    );
    const secret = oauth.ClientSecretBasic(client.client_secret);
    const verifier = oauth.generateRandomCodeVerifier();
    const state = oauth.generateRandomState();
    const page = new URL(server.authorization_endpoint);
    page.search = new URLSearchParams({
        client_id: client.client_id,
        redirect_uri: JOB.redirect,
        response_type: "code",
        scope: JOB.scope,
        state,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
    });
    const back = oauth.validateAuthResponse(server, client, await lead(page), state);
    let tokens = await oauth.processAuthorizationCodeResponse(
        server,
        client,
        await oauth.authorizationCodeGrantRequest(server, client, secret, back, JOB.redirect, verifier, options),
    );
    let expired = clock(tokens.expires_in);
    const token = async () => {
        if (!expired()) return tokens.access_token;
        const answer = await oauth.refreshTokenGrantRequest(server, client, secret, tokens.refresh_token, options);
        tokens = await oauth.processRefreshTokenResponse(server, client, answer);
        expired = clock(tokens.expires_in);
        return tokens.access_token;
    };
    return http(token, async () => {
        const answer = await oauth.revocationRequest(server, client, secret, tokens.refresh_token, options);
        await oauth.processRevocationResponse(answer);
        return [true, ""];
    });
});
