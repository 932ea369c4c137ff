// A driver's side of conformance/test_clients.py: one JSON document per line, commands in and responses out.
// To have the person visit a page, a driver sends {"open": URL} and receives {"back": URL}.
import {createInterface} from "node:readline";
import {format} from "node:util";

export const JOB = JSON.parse(process.argv[2]);
const lines = createInterface({input: process.stdin})[Symbol.asyncIterator]();
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr); // keeps what libraries print out of the protocol

const tell = (answer) => write(JSON.stringify(answer) + "\n");
const hear = async () => {
    const {value, done} = await lines.next();
    return done ? null : JSON.parse(value);
};

// Has the person visit a page; returns the URL that their browser was redirected to.
let waiting = Promise.resolve();
export const lead = (address) =>
    (waiting = waiting.then(async () => {
        tell({open: String(address)});
        return new URL((await hear()).back);
    }));

// Returns whether an MCP result is a success, and its text.
export const told = (result) => [!result.isError, result.content.map((part) => part.text ?? "").join("")];

// Runs the client that `connect` returns, until the test sends no more commands. The client has `tools()` and
// `call({name, arguments})`, or `request({method, path, body})` and `revoke()`. Each returns whether it succeeded, and the
// text or the names of the tools.
export async function run(connect) {
    try {
        const client = await connect();
        tell({ok: true, said: "connected"});
        for (let command; (command = await hear()); ) tell(await answer(client, command));
    } catch (error) {
        tell({ok: false, said: format(error)});
    }
    process.exit();
}

async function answer(client, command) {
    if (command.do === "together") return {all: await Promise.all(command.commands.map((one) => answer(client, one)))};
    try {
        const [ok, said] = await client[command.do](command);
        return {ok, said: typeof said === "string" ? said : JSON.stringify(said)};
    } catch (error) {
        return {ok: false, said: format(error)};
    }
}
