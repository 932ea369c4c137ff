// The TypeScript SDK 1.x, by the alias that its version has in package.json.
import {JOB, run, told} from "./driver.mjs";
import {signedIn} from "./signin.mjs";

const sdk = process.argv[3];
const {Client} = await import(`${sdk}/client/index.js`);
const {StreamableHTTPClientTransport} = await import(`${sdk}/client/streamableHttp.js`);

run(async () => {
    let transport;
    const client = await signedIn(
        async (authProvider) => {
            const client = new Client({name: JOB.name, version: "1.0"});
            transport = new StreamableHTTPClientTransport(new URL(JOB.mcp), {authProvider});
            await client.connect(transport);
            return client;
        },
        (provider) => transport.finishAuth(provider.code),
    );
    return {
        tools: async () => [true, (await client.listTools()).tools.map((tool) => tool.name)],
        call: async ({name, arguments: given}) => told(await client.callTool({name, arguments: given})),
    };
});
