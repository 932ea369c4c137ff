// OpenAI Agents SDK: its MCP server class over streamable HTTP.
import {auth} from "@modelcontextprotocol/sdk/client/auth.js";
import {MCPServerStreamableHttp} from "@openai/agents-core";
import {JOB, run, told} from "./driver.mjs";
import {signedIn} from "./signin.mjs";

run(async () => {
    const server = await signedIn(
        async (authProvider) => {
            const server = new MCPServerStreamableHttp({url: JOB.mcp, name: "todos", authProvider});
            await server.connect();
            return server;
        },
        (provider) => auth(provider, {serverUrl: JOB.mcp, authorizationCode: provider.code}),
    );
    return {
        tools: async () => [true, (await server.listTools()).map((tool) => tool.name)],
        call: async ({name, arguments: given}) => told(await server.callToolResult(name, given)),
    };
});
