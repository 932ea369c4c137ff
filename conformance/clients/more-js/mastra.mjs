// Mastra: its MCP client with its own OAuth, which listens for the callback itself; tools called as an agent would.
import {MCPClient, MCPOAuthClientProvider} from "@mastra/mcp";
import {JOB, lead, run} from "../js/driver.mjs";

run(async () => {
    const authProvider = new MCPOAuthClientProvider({
        redirectUrl: JOB.redirect,
        clientInformation: {client_id: JOB.client.id, client_secret: JOB.client.secret},
        clientMetadata: {
            client_name: JOB.name,
            redirect_uris: [JOB.redirect],
            grant_types: ["authorization_code", "refresh_token"],
            response_types: ["code"],
        },
        onRedirectToAuthorization: (page) => void lead(page).then(fetch),
    });
    const client = new MCPClient({servers: {todos: {url: new URL(JOB.mcp), authProvider, connectTimeout: 30_000}}});
    await client.authenticate("todos");
    const tools = await client.listTools();
    return {
        tools: async () => [true, Object.keys(tools).map((name) => name.replace(/^todos_/, ""))],
        call: async ({name, arguments: given}) => {
            const answer = await tools[`todos_${name}`].execute(given, {});
            return [!answer.isError, answer];
        },
    };
});
