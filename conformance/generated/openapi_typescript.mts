// The README's story by openapi-fetch, with the types that openapi-typescript generates. argv is URL, key and username.
import createClient from 'openapi-fetch'
import type { paths } from 'todo-client'

declare const process: { argv: string[] }
const [url, key, username] = process.argv.slice(2) as [string, string, string]
const client = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${key}` } })
const path = { username }

function taken<T>(answer: { data?: T; error?: unknown }): T {
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.error))
  return answer.data
}

async function texts(): Promise<string[]> {
  return taken(await client.GET('/todos/{username}', { params: { path } })).todos.map(todo => todo.todo)
}

async function undo(change_id: number) {
  return taken(await client.POST('/todos/{username}/changes/{change_id}/undo', { params: { path: { username, change_id } } }))
}

const body = { todo: 'Buy milk', due: '2026-11-27', tags: ['home'], priority: 'high', create_list: false, list: null } as const
const added = taken(await client.POST('/todos/{username}', { params: { path }, body: { ...body, tags: [...body.tags] } }))
const listed = await texts()
const one = { path: { username, todo_id: added.id } }
const completed = taken(await client.POST('/todos/{username}/{todo_id}/complete', { params: one }))
const reopened = await undo(completed.change_id)
const deleted = taken(await client.DELETE('/todos/{username}', { params: { path }, body: { todo_idx: 0 } }))
const left = await texts()
const undone = await undo(deleted.change_id)
const refused = await client.GET('/todos/{username}/{todo_id}', { params: { path: { username, todo_id: 99 } } })
const told = {
  added: [added.todo, added.due, added.tags, added.priority],
  listed,
  completed: completed.status,
  reopened: reopened.todos.map(todo => todo.after?.status),
  deleted: deleted.status,
  left,
  undone: undone.undoes - added.change_id,
  back: await texts(),
  refused: [refused.response.status, refused.error?.code],
}
console.log(JSON.stringify(told))
