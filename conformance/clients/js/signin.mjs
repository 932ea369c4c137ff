// An OAuthClientProvider for the TypeScript SDK, and for libraries that share its interface. It stores everything in memory,
// and has the test's person in place of a browser.
import {randomUUID} from "node:crypto";
import {JOB, lead} from "./driver.mjs";

export class Provider {
    back = null; // the parameters of the callback
    asked = null; // the state that was sent

    get redirectUrl() {
        return JOB.redirect;
    }

    get clientMetadata() {
        return {
            client_name: JOB.name,
            redirect_uris: [JOB.redirect],
            grant_types: ["authorization_code", "refresh_token"],
            response_types: ["code"],
            token_endpoint_auth_method: "none",
        };
    }

    state() {
        return (this.asked = randomUUID());
    }

    clientInformation() {
        return this.client;
    }

    saveClientInformation(client) {
        this.client = client;
    }

    tokens() {
        return this.kept;
    }

    saveTokens(tokens) {
        this.kept = tokens;
    }

    async redirectToAuthorization(address) {
        this.back = (await lead(address)).searchParams;
    }

    saveCodeVerifier(verifier) {
        this.verifier = verifier;
    }

    codeVerifier() {
        return this.verifier;
    }

    // Returns the authorization code. Throws on an error or a wrong state.
    get code() {
        if (this.back.get("state") !== this.asked) throw new Error("the state does not match");
        if (this.back.get("error")) throw new Error(this.back.get("error"));
        return this.back.get("code");
    }
}

// Connects with `open(provider)`. The first attempt fails once the person has signed in; then finishes and retries.
export async function signedIn(open, finish) {
    const provider = new Provider();
    try {
        return await open(provider);
    } catch (error) {
        if (!provider.back) throw error;
        await finish(provider, error);
        return await open(provider);
    }
}
