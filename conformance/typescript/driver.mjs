// One official SDK in Node, unmodified, doing what conformance/python/clients.py asks of it: a call a line on standard
// input, and on standard output a line for each with what the SDK returned or threw, and what crossed the wire below it.
//
//   node driver.mjs FOLDER PACKAGE     FOLDER is what scripts/node-env printed, PACKAGE a name from package.json

import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [folder, packageName] = process.argv.slice(2);
// The packages are outside the checkout, so they are looked up from their own folder.
const path = createRequire(`${folder}/package.json`).resolve(packageName);
const sdks = await import(pathToFileURL(path));

const DRIVERS = {
  openai,
  "openrouter-0.1.27": openrouter({ change: "requestBody" }),
  "openrouter-1.3.19": openrouter({ create: "requestBody", change: "requestBody", chat: "chatRequest" }),
};
const clientOf = DRIVERS[packageName];

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await reply(JSON.parse(line)))}\n`);
}

async function reply({ call, base_url, key, arguments: given }) {
  const exchanges = [];
  const result = await outcome(clientOf(base_url, key, recording(exchanges)), call, given);
  return { ...result, exchanges: await Promise.all(exchanges) };
}

async function outcome(calls, call, given) {
  try {
    const value = await calls[call](given);
    if (typeof value?.[Symbol.asyncIterator] !== "function") return { value: snake(value) };
    const items = [];
    // The items of a stream; of pages, the items on them.
    for await (const item of value) items.push(...(item.result?.data ?? [item]).map(snake));
    return { value: items };
  } catch (error) {
    const status = error.statusCode ?? error.status ?? null;
    return { error: { kind: error.constructor.name, status, message: error.message } };
  }
}

// A fetch that keeps the raw text of every answer, which stays readable beside the SDK's own reading of it.
function recording(exchanges) {
  return async (input, init) => {
    const request = new Request(input, init);
    const response = await fetch(request);
    const text = response.clone().text();
    exchanges.push(text.then((text) => ({
      method: request.method,
      path: new URL(request.url).pathname,
      status: response.status,
      media_type: response.headers.get("content-type") ?? "",
      text,
    })));
    return response;
  };
}

// The generations differ in the member that wraps a body; one without a wrapper takes the body's members themselves.
function openrouter(wrappers) {
  const wrap = (wrapper, body) => (wrapper ? { [wrapper]: body } : body);
  return (serverURL, apiKey, fetcher) => {
    const httpClient = new sdks.HTTPClient({ fetcher });
    const sdk = new sdks.OpenRouter({ serverURL, apiKey, httpClient, retryConfig: { strategy: "none" } });
    return {
      "keys.create": (given) => sdk.apiKeys.create(wrap(wrappers.create, camel(given))),
      "keys.get": (given) => sdk.apiKeys.get(given),
      "keys.list": (given) => sdk.apiKeys.list(camel(given)),
      "keys.update": ({ hash, ...given }) => sdk.apiKeys.update({ hash, ...wrap(wrappers.change, camel(given)) }),
      "keys.delete": (given) => sdk.apiKeys.delete(given),
      key: () => sdk.apiKeys.getCurrentKeyMetadata(),
      chat: (given) => sdk.chat.send(wrap(wrappers.chat, camel(given))),
      // What only the newest generation is asked.
      credits: () => sdk.credits.getCredits(),
      activity: (given) => sdk.analytics.getUserActivity(camel(given)),
      generation: (given) => sdk.generations.getGeneration(given),
      models: (given) => sdk.models.list(camel(given)),
      "models.count": (given) => sdk.models.count(camel(given)),
      "models.get": (given) => sdk.models.get(given),
      "models.user": (given) => sdk.models.listForUser({ bearer: apiKey }, camel(given)),
      providers: () => sdk.providers.list(),
      endpoints: (given) => sdk.endpoints.list(given),
      "endpoints.zdr": () => sdk.endpoints.listZdrEndpoints(),
      embeddings: (given) => sdk.embeddings.generate({ requestBody: camel(given) }),
      "embeddings.models": (given) => sdk.embeddings.listModels(camel(given)),
      "byok.create": (given) => sdk.byok.create({ createBYOKKeyRequest: camel(given) }),
      "byok.list": (given) => sdk.byok.list(camel(given)),
      "byok.get": (given) => sdk.byok.get(given),
      "byok.update": ({ id, ...given }) => sdk.byok.update({ id, updateBYOKKeyRequest: camel(given) }),
      "byok.delete": (given) => sdk.byok.delete(given),
      "workspaces.create": (given) => sdk.workspaces.create({ createWorkspaceRequest: camel(given) }),
      "workspaces.list": (given) => sdk.workspaces.list(camel(given)),
      "workspaces.get": (given) => sdk.workspaces.get(given),
      "workspaces.update": ({ id, ...given }) => sdk.workspaces.update({ id, updateWorkspaceRequest: camel(given) }),
      "workspaces.delete": (given) => sdk.workspaces.delete(given),
      "budgets.list": (given) => sdk.workspaces.listBudgets(camel(given)),
      "budgets.get": (given) => sdk.workspaces.getBudget(camel(given)),
      "budgets.set": ({ workspace_ref: workspaceRef, interval, ...given }) =>
        sdk.workspaces.setBudget({ workspaceRef, interval, upsertWorkspaceBudgetRequest: camel(given) }),
      "budgets.delete": (given) => sdk.workspaces.deleteBudget(camel(given)),
      "members.list": (given) => sdk.workspaces.listMembers(camel(given)),
      "members.add": ({ id, ...given }) =>
        sdk.workspaces.bulkAddMembers({ id, bulkAddWorkspaceMembersRequest: camel(given) }),
      "members.remove": ({ id, ...given }) =>
        sdk.workspaces.bulkRemoveMembers({ id, bulkRemoveWorkspaceMembersRequest: camel(given) }),
      "organization.members": (given) => sdk.organization.listMembers(camel(given)),
    };
  };
}

function openai(baseURL, apiKey, fetcher) {
  const sdk = new sdks.OpenAI({ baseURL, apiKey, fetch: fetcher, maxRetries: 0 });
  return {
    chat: (given) => sdk.chat.completions.create(given),
    embeddings: (given) => sdk.embeddings.create(given),
    models: () => sdk.models.list(),
    model: ({ model }) => sdk.models.retrieve(model),
  };
}

// The SDK's names for the wire's; times become what its types ask for.
function camel(members) {
  const named = Object.entries(members).map(([name, value]) => [
    name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase()),
    name === "expires_at" ? new Date(value) : value,
  ]);
  return Object.fromEntries(named);
}

// The wire's names for the SDK's, all the way down.
function snake(value) {
  if (value instanceof Date || value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(snake);
  const named = Object.entries(value).map(([name, member]) => [
    name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    snake(member),
  ]);
  return Object.fromEntries(named);
}
