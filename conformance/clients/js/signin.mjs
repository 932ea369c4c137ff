// A provider as the TypeScript SDK wants one, and those that took over its interface: it keeps what it is given, and
// leads the person where the SDK opens a browser.
import {randomUUID} from "node:crypto";
import {JOB, lead} from "./driver.mjs";

export class Provider {
    back = null; // the parameters that the person came back with
    asked = null; // the state that went with them

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

    // Returns the code of the answer to what was asked.
    get code() {
        if (this.back.get("state") !== this.asked) throw new Error("the state is another");
        if (this.back.get("error")) throw new Error(this.back.get("error"));
        return this.back.get("code");
    }
}

// Connects by `open(provider)`, which is told once to sign in, by an error, and then again with what that gave.
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
