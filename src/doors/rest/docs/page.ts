import type { OpenApiDocument } from "../openapi.ts";
import type { ApiOperation } from "./curl.ts";
import { frame } from "./frame.ts";
import { Html, html, prose } from "./html.ts";
import { type Components, type Listed, operationView, schemaView, wordsOf } from "./operation-view.ts";

const METHODS = ["get", "post", "patch", "delete"] as const;

/** The browsable page of an OpenAPI document. */
export function docsPage(document: OpenApiDocument): string {
  const components = document.components as unknown as Components;
  const listed = operationsOf(document);
  const groups = (document.tags ?? []).map(({ name, description = "" }) => ({
    name,
    description,
    operations: listed.filter(({ operation }) => operation.tags.includes(name)),
  }));
  const schemas = Object.entries(components.schemas).filter(([name]) => !name.endsWith("Request"));
  const body = html`<div class="layout">
    <nav class="side" aria-label="Operations">
      <input type="search" placeholder="Search operations" aria-label="Search operations" />
      ${groups.map(({ name, operations }) => sideGroup(name, operations))}
    </nav>
    <main>
      ${introduction(document)} ${groups.map((group) => groupView(group, components))}
      <section id="types">
        <h2>Types</h2>
        <p class="soft">What answers are made of.</p>
        ${schemas.map(([name, schema]) => schemaView(name, schema))}
      </section>
    </main>
  </div>`;
  return frame({ title: "Claviger API", version: document.info.version, body, hasScript: true });
}

function operationsOf({ paths = {} }: OpenApiDocument): readonly Listed[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method] as unknown as ApiOperation | undefined;
      return operation === undefined ? [] : [{ method, path, operation }];
    }),
  );
}

type Group = { readonly name: string; readonly description: string; readonly operations: readonly Listed[] };

function groupView({ name, description, operations }: Group, components: Components): Html {
  return html`<section id="${name}">
    <h2>${name}</h2>
    <p class="soft">${prose(description)}</p>
    ${operations.map((operation) => operationView(operation, components))}
  </section>`;
}

function sideGroup(name: string, operations: readonly Listed[]): Html {
  const items = operations.map(
    (listed) =>
      html`<li data-words="${wordsOf(listed)}">
        <a href="#${listed.operation.operationId}">${listed.operation.summary}</a>
      </li>`,
  );
  return html`<a class="group" href="#${name}">${name}</a>
    <ul>
      ${items}
    </ul>`;
}

const SHELL = `export CLAVIGER_ADDR=https://127.0.0.1:8443 CLAVIGER_CACERT=data/ca.pem
export CLAVIGER_API_KEY=$(node -p "JSON.parse(fs.readFileSync('data/client.json')).apiKey")`;

function introduction({ info }: OpenApiDocument): Html {
  return html`<div class="lead">
      <h1>${info.title} API</h1>
      <p>${prose(info.description ?? "")}</p>
      <p>
        Every request but those that are open to anybody carries <code>Authorization: Bearer</code> and an API key. The
        examples below run when pasted, in a shell that has these (on another machine: the address, its
        <code>ca.pem</code> and a key of your own):
      </p>
    </div>
    <pre><code>${SHELL}</code></pre>`;
}
