// Shows /openapi.json. Everything is set as text, never as markup.
"use strict";

function make(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
  for (const child of children) if (child !== null && child !== undefined) node.append(child);
  return node;
}

function resolve(doc, schema) {
  if (!schema || !schema.$ref) return schema || {};
  return doc.components.schemas[schema.$ref.split("/").pop()] || {};
}

function typeName(doc, schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  const types = Array.isArray(schema.type) ? schema.type : [schema.type || "any"];
  const named = types.map((t) => (t === "array" ? "list of " + typeName(doc, schema.items) : t)).join(" or ");
  if (schema.enum) return named + ": " + schema.enum.join(", ");
  return schema.format ? named + " (" + schema.format + ")" : named;
}

function row(name, type, required, text) {
  const label = make("code", required ? { class: "required" } : {}, name);
  return make("tr", {}, make("td", {}, label), make("td", {}, type), make("td", {}, text || ""));
}

function fields(doc, schema, depth, prefix) {
  const found = resolve(doc, schema);
  if (found.type === "array" || (Array.isArray(found.type) && found.items)) return fields(doc, found.items, depth, prefix + "[].");
  const rows = [];
  for (const [name, property] of Object.entries(found.properties || {})) {
    const required = (found.required || []).includes(name);
    rows.push(row(prefix + name, typeName(doc, property), required, property.description));
    if (depth > 0) {
      const inner = property.items ? property.items : property;
      const mark = property.items ? "[]." : ".";
      if (resolve(doc, inner).properties) rows.push(...fields(doc, inner, depth - 1, prefix + name + mark));
    }
  }
  return rows;
}

function table(caption, rows) {
  if (rows.length === 0) return null;
  const head = make("tr", {}, make("th", {}, "Name"), make("th", {}, "Type"), make("th", {}, "Meaning"));
  return make("div", {}, make("strong", {}, caption), make("table", {}, head, ...rows));
}

function operation(doc, path, method, op) {
  const box = make("div", {});
  if (op.description) box.append(make("p", {}, op.description));
  const parameters = (op.parameters || []).map((p) => row(p.name, typeName(doc, p.schema) + ", in " + p.in, p.required, p.description));
  box.append(table("Parameters", parameters) || "");
  const body = op.requestBody && op.requestBody.content && op.requestBody.content["application/json"];
  if (body) box.append(table("Body", fields(doc, body.schema, 2, "")) || "");
  for (const [status, response] of Object.entries(op.responses || {})) {
    const content = Object.entries(response.content || {})[0];
    const caption = status + " " + (response.description || "") + (content ? " · " + content[0] : "");
    box.append(table(caption, content ? fields(doc, content[1].schema, 2, "") : []) || make("p", {}, make("strong", {}, caption)));
  }
  const title = make("summary", {}, make("span", { class: "method " + method.toUpperCase() }, method.toUpperCase()),
    make("code", {}, path), " ", make("span", { class: "brief" }, op.summary || ""));
  const details = make("details", {}, title, box);
  details.dataset.text = (method + " " + path + " " + (op.summary || "")).toLowerCase();
  return details;
}

function show(doc) {
  document.getElementById("about").textContent = doc.info.description + " Version " + doc.info.version +
    ". Every call needs a bearer token; problems are RFC 9457 in Chinese or English, by Accept-Language.";
  const groups = new Map();
  for (const [path, methods] of Object.entries(doc.paths)) {
    for (const [method, op] of Object.entries(methods)) {
      const tag = (op.tags || ["Other"])[0];
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(operation(doc, path, method, op));
    }
  }
  const main = document.getElementById("operations");
  for (const [tag, nodes] of groups) main.append(make("section", {}, make("h2", {}, tag), ...nodes));
  document.getElementById("filter").addEventListener("input", (event) => {
    const wanted = event.target.value.toLowerCase();
    for (const node of main.querySelectorAll("details")) node.hidden = !node.dataset.text.includes(wanted);
  });
}

fetch("/openapi.json").then((answer) => answer.json()).then(show).catch(() => {
  document.getElementById("about").textContent = "The description could not be loaded.";
});
