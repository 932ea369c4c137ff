// The TypeScript SDK 2.x, whose client is a package of its own.
import {Client, StreamableHTTPClientTransport} from "@modelcontextprotocol/client";
import {JOB, run, told} from "./driver.mjs";
import {signedIn} from "./signin.mjs";

run(async () => {
    let transport;
    const client = await signedIn(
        async (authProvider) => {
            const client = new Client({name: JOB.name, version: "1.0"});
            transport = new StreamableHTTPClientTransport(new URL(JOB.mcp), {authProvider});
            await client.connect(transport);
            return client;
        },
        (provider) => transport.finishAuth(provider.code, provider.back.get("iss")),
    );
    return {
        tools: async () => [true, (await client.listTools()).tools.map((tool) => tool.name)],
        call: async ({name, arguments: given}) => told(await client.callTool({name, arguments: given})),
    };
});
