// Shows /openapi.json for people, without any script from another host.

function element(name, content = "", attributes = {}) {
  const node = Object.assign(document.createElement(name), attributes);
  node.append(...[content].flat());
  return node;
}

const code = (value) => element("pre", typeof value === "string" ? value : JSON.stringify(value, null, 1));

function parameters(list = []) {
  const rows = list.map(({ name, in: place, description = "", schema }) => {
    const bounds = [schema.minimum, schema.maximum].filter((bound) => bound !== undefined).join(" to ");
    return element("tr", [element("td", element("code", name)), element("td", `${place}, ${schema.type} ${bounds}`), element("td", description)]);
  });
  return element("table", rows);
}

function response([status, { description, content = {} }]) {
  const [kind, media] = Object.entries(content)[0] ?? ["", {}];
  const parts = [element("summary", `${status} ${description} ${kind}`)];
  if (media.example) parts.push(code(media.example));
  return element("details", parts);
}

function route(path, method, operation) {
  return element("section", [
    element("h2", `${method.toUpperCase()} ${path}`, { id: path }),
    element("p", operation.description ?? ""),
    element("p", operation.requestBody?.description ?? ""),
    parameters(operation.parameters),
    ...Object.entries(operation.responses).map(response),
  ]);
}

const api = await (await fetch("/openapi.json")).json();
for (const [path, operations] of Object.entries(api.paths)) {
  for (const [method, operation] of Object.entries(operations)) {
    document.getElementById("routes").append(route(path, method, operation));
  }
}
for (const [name, schema] of Object.entries(api.components.schemas)) {
  document.getElementById("schemas").append(element("details", [element("summary", `${name}: ${schema.description ?? ""}`), code(schema)]));
}
