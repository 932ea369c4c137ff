// mcp-remote, as a host without OAuth starts it: over stdio. The test visits the URL that it prints.
import {Client} from "sdk-1.32/client/index.js";
import {StdioClientTransport} from "sdk-1.32/client/stdio.js";
import {JOB, lead, run, told} from "./driver.mjs";

// Retries for up to 10 seconds: mcp-remote prints the URL before it listens for the callback.
async function visit(address) {
    for (let attempts = 0; ; attempts++) {
        try {
            return await fetch(address);
        } catch (error) {
            if (attempts === 100) throw error;
            await new Promise((done) => setTimeout(done, 100));
        }
    }
}

run(async () => {
    const port = new URL(JOB.redirect).port;
    const transport = new StdioClientTransport({
        command: "mcp-remote",
        args: [JOB.mcp, port, "--allow-http", "--host", "127.0.0.1"],
        env: {...process.env, BROWSER: "true", DISPLAY: ""},
        stderr: "pipe",
    });
    let said = "";
    transport.stderr.on("data", async (piece) => {
        process.stderr.write(piece);
        said += piece;
        const found = said.match(/http:\S+\/oauth\/authorize\?\S+(?=\n)/);
        if (!found) return;
        said = "";
        await visit(await lead(found[0]));
    });
    const client = new Client({name: JOB.name, version: "1.0"});
    await client.connect(transport);
    return {
        tools: async () => [true, (await client.listTools()).tools.map((tool) => tool.name)],
        call: async ({name, arguments: given}) => told(await client.callTool({name, arguments: given})),
    };
});
