// mcp-use for JavaScript: a client session, with the SDK's OAuth provider.
import {auth} from "@modelcontextprotocol/sdk/client/auth.js";
import {JOB, run, told} from "../js/driver.mjs";
import {signedIn} from "../js/signin.mjs";

process.env.MCP_USE_ANONYMIZED_TELEMETRY = "false";
const {MCPClient} = await import("mcp-use/client");

run(async () => {
    const session = await signedIn(
        (authProvider) => new MCPClient({mcpServers: {todos: {url: JOB.mcp, authProvider}}}).createSession("todos"),
        (provider) => auth(provider, {serverUrl: JOB.mcp, authorizationCode: provider.code}),
    );
    return {
        tools: async () => [true, (await session.listTools()).map((tool) => tool.name)],
        call: async ({name, arguments: given}) => told(await session.callTool(name, given)),
    };
});
