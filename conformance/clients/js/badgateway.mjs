// @badgateway/oauth2-client, with a registered client: discovery, the authorization code grant and its fetch wrapper.
import {OAuth2Client, OAuth2Fetch, generateCodeVerifier} from "@badgateway/oauth2-client";
import {JOB, lead, run} from "./driver.mjs";

run(async () => {
    const client = new OAuth2Client({
        server: JOB.url,
        clientId: JOB.client.id,
        clientSecret: JOB.client.secret,
        discoveryEndpoint: "/.well-known/oauth-authorization-server",
    });
    const codeVerifier = await generateCodeVerifier();
    const asked = {redirectUri: JOB.redirect, state: "a state", codeVerifier};
    const page = await client.authorizationCode.getAuthorizeUri({...asked, scope: JOB.scope.split(" ")});
    let tokens = await client.authorizationCode.getTokenFromCodeRedirect(await lead(page), asked);
    const wrapper = new OAuth2Fetch({
        client,
        getNewToken: () => null,
        getStoredToken: () => tokens,
        storeToken: (given) => (tokens = given),
    });
    return {
        async request({method, path, body}) {
            const headers = {"content-type": "application/json"};
            const answer = await wrapper.fetch(JOB.url + path, {method, headers, body: body && JSON.stringify(body)});
            return [answer.ok, await answer.text()];
        },
        async revoke() {
            await client.revoke(tokens, "refresh_token");
            return [true, ""];
        },
    };
});
