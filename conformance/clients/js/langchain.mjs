// LangChain's adapters: each tool as a LangChain tool, called as an agent calls it.
import {MultiServerMCPClient} from "@langchain/mcp-adapters";
import {auth} from "@modelcontextprotocol/sdk/client/auth.js";
import {JOB, run} from "./driver.mjs";
import {signedIn} from "./signin.mjs";

// With structured content beside it, the text comes wrapped in JSON.
const textOf = (content) => JSON.parse(content).text ?? content;

run(async () => {
    const tools = await signedIn(
        (authProvider) =>
            new MultiServerMCPClient({
                throwOnLoadError: true,
                mcpServers: {todos: {transport: "http", url: JOB.mcp, authProvider, automaticSSEFallback: false}},
            }).getTools(),
        (provider) => auth(provider, {serverUrl: JOB.mcp, authorizationCode: provider.code}),
    );
    const byName = Object.fromEntries(tools.map((tool) => [tool.name, tool]));
    let number = 0;
    return {
        tools: async () => [true, Object.keys(byName)],
        call: async ({name, arguments: args}) => {
            try {
                const message = await byName[name].invoke({type: "tool_call", id: `use-${++number}`, name, args});
                return [message.status !== "error", textOf(message.content)];
            } catch (refusal) {
                if (refusal.name === "ToolException") return [false, refusal.message];
                throw refusal;
            }
        },
    };
});
