// Vercel's AI SDK: the MCP client of @ai-sdk/mcp, with tools called as a model would.
import {auth, createMCPClient} from "@ai-sdk/mcp";
import {JOB, run, told} from "./driver.mjs";
import {signedIn} from "./signin.mjs";

run(async () => {
    const client = await signedIn(
        (authProvider) => createMCPClient({transport: {type: "http", url: JOB.mcp, authProvider}, clientName: JOB.name}),
        (provider) =>
            auth(provider, {
                serverUrl: JOB.mcp,
                authorizationCode: provider.code,
                callbackState: provider.back.get("state"),
                callbackIssuer: provider.back.get("iss"),
            }),
    );
    const tools = await client.tools();
    let number = 0;
    return {
        tools: async () => [true, Object.keys(tools)],
        call: async ({name, arguments: given}) =>
            told(await tools[name].execute(given, {toolCallId: `use-${++number}`, messages: []})),
    };
});
