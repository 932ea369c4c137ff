// What a driver says to conformance/test_clients.py: one JSON document a line, a command in and its answer out.
// When it must lead a person to a page it says {"open": address}, and is told {"back": address}.
import {createInterface} from "node:readline";
import {format} from "node:util";

export const JOB = JSON.parse(process.argv[2]);
const lines = createInterface({input: process.stdin})[Symbol.asyncIterator]();
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr); // what a library prints is not for the test

const tell = (answer) => write(JSON.stringify(answer) + "\n");
const hear = async () => {
    const {value, done} = await lines.next();
    return done ? null : JSON.parse(value);
};

// Leads the person to a page; returns the address that their browser came back to.
let waiting = Promise.resolve();
export const lead = (address) =>
    (waiting = waiting.then(async () => {
        tell({open: String(address)});
        return new URL((await hear()).back);
    }));

// Returns what an MCP result says: whether it is no refusal, and its text.
export const told = (result) => [!result.isError, result.content.map((part) => part.text ?? "").join("")];

// Runs the client that `connect` returns, until the test has no more commands. The client has `tools()`, which returns
// names, and `call({name, arguments})`, or `request({method, path, body})` and `revoke()`; each returns whether it is
// no refusal, and what was said.
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
