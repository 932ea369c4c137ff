// The official TypeScript SDK: 1.x by its alias in package.json, 2.x by the name of its client package.
import {JOB, run, told} from "./driver.mjs";
import {signedIn} from "./signin.mjs";

const sdk = process.argv[3];
const parts = sdk.startsWith("sdk-1.") ? [`${sdk}/client/index.js`, `${sdk}/client/streamableHttp.js`] : [sdk];
const {Client, StreamableHTTPClientTransport} = Object.assign(
    {},
    ...(await Promise.all(parts.map((part) => import(part)))),
);

run(async () => {
    let transport;
    const client = await signedIn(
        async (authProvider) => {
            const client = new Client({name: JOB.name, version: "1.0"});
            transport = new StreamableHTTPClientTransport(new URL(JOB.mcp), {authProvider});
            await client.connect(transport);
            return client;
        },
        (provider) => transport.finishAuth(provider.code, provider.back.get("iss")), // 1.x uses only the code
    );
    return {
        tools: async () => [true, (await client.listTools()).tools.map((tool) => tool.name)],
        call: async ({name, arguments: given}) => told(await client.callTool({name, arguments: given})),
    };
});
