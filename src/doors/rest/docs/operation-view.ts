import { ERROR_CODES } from "#core/errors.ts";
import { type ApiAnswer, type ApiOperation, type ApiParameter, curlExample } from "./curl.ts";
import { Html, html, prose } from "./html.ts";
import { componentOf, type Field, fieldsOf, type Schema, typeOf } from "./schema.ts";

export type Components = {
  readonly schemas: Readonly<Record<string, Schema>>;
  readonly parameters: Readonly<Record<string, ApiParameter>>;
};
export type Listed = { readonly method: string; readonly path: string; readonly operation: ApiOperation };

/** An operation, folded: what it takes, what it answers, how it fails, and a command to try it. */
export function operationView({ method, path, operation }: Listed, components: Components): Html {
  const { operationId, summary, description, requestBody } = operation;
  return html`<details class="op" id="${operationId}" data-words="${wordsOf({ method, path, operation })}">
    <summary>
      <span class="method ${method}">${method.toUpperCase()}</span><code class="path">${pathView(path)}</code
      ><span class="sum">${summary}</span>
    </summary>
    <div class="body">
      ${description === undefined ? undefined : html`<p>${prose(description)}</p>`} ${accessView(operation)}
      ${parametersView(operation, components)}
      ${requestBody === undefined ? undefined : bodyView(requestBody.content, components)} ${answersView(operation)}
      <h4>Errors</h4>
      ${errorsView(operation)}
      <h4>Try it</h4>
      <pre><code>${curlExample({ method, path, operation, components: components.schemas })}</code></pre>
    </div>
  </details> `;
}

/** What the search looks at. */
export function wordsOf({ method, path, operation }: Listed): string {
  return [method, path, operation.operationId, operation.summary, ...operation.tags].join(" ").toLowerCase();
}

export function pathView(path: string): Html {
  const parts = path.split(/(\{\w+\})/u);
  return html`${parts.map((part) => (part.startsWith("{") ? html`<i>${part}</i>` : html`${part}`))}`;
}

function accessView({ security }: ApiOperation): Html | undefined {
  if (security.length === 0) return html`<p class="soft">Open to anybody.</p>`;
  if (security.length > 1)
    return html`<p class="soft">Open to anybody on a loopback address; otherwise for auditors.</p>`;
  return undefined;
}

function parametersView({ parameters }: ApiOperation, components: Components): Html | undefined {
  const known = parameters.map((parameter) => components.parameters[componentOf(parameter) ?? ""] ?? parameter);
  if (known.length === 0) return undefined;
  const fields = known.map(({ name, in: place, required = false, description = "", schema }) => {
    const [field] = fieldsOf({ properties: { [name]: schema } });
    return {
      ...field,
      name,
      isRequired: required && place !== "path",
      type: `${field?.type ?? ""}, ${place}`,
      description,
    } as Field;
  });
  return html`<h4>Parameters</h4>
    ${fieldsView(fields)}`;
}

function bodyView(content: ApiAnswerContent, components: Components): Html {
  const [[type, media] = ["", undefined]] = Object.entries(content);
  const schema = resolve(media?.schema ?? {}, components);
  const single = schema.anyOf?.[0] === undefined ? schema : resolve(schema.anyOf[0], components);
  const isBatch = schema.anyOf !== undefined;
  const fields = fieldsOf(single).map(requestField);
  return html`<h4>Request${type === "application/json" ? "" : `, ${type}`}</h4>
    ${isBatch ? html`<p class="soft">Or a batch: <code>{ "items": [1 to 1000 of it] }</code>.</p>` : undefined}
    ${fields.length === 0 ? html`<p class="soft">${type === "application/json" ? "Nothing, or {}." : "The text itself."}</p>` : fieldsView(fields)}`;
}

/** Absent and `null` are mostly one: where they are, it is said once, above. */
function requestField(field: Field): Field {
  return { ...field, type: field.type.replace(/ or null$/u, "") };
}

type ApiAnswerContent = NonNullable<ApiAnswer["content"]>;

function resolve(schema: Schema, { schemas }: Components): Schema {
  return schemas[componentOf(schema) ?? ""] ?? schema;
}

function answersView({ responses }: ApiOperation): readonly Html[] {
  return Object.entries(responses).flatMap(([status, answer]) =>
    answer.$ref === undefined ? [answerView(status, answer)] : [],
  );
}

function answerView(status: string, { description, content = {} }: ApiAnswer): Html {
  const [[type, media] = ["", undefined]] = Object.entries(content);
  const schema = media?.schema ?? {};
  const named = (schema.anyOf ?? [schema]).flatMap((one) => componentOf(one) ?? []);
  const fields = answerFields(schema);
  return html`<h4>Answer ${status}</h4>
    <p>
      ${prose(description)}
      ${named.length > 0 ? html`${named.map((name, at) => html`${at > 0 ? " or " : ""}${componentLink(name)}`)}` : type === "application/json" ? undefined : html`<span class="soft">${type}</span>`}
    </p>
    ${fields.length > 0 ? fieldsView(fields) : undefined}`;
}

export function componentLink(name: string): Html {
  return html`<a href="#schema-${name}">${name}</a>`;
}

/** The codes that the operation answers, by status. */
function errorsView(operation: ApiOperation): Html {
  const byStatus = Map.groupBy(operation["x-error-codes"], (code) => ERROR_CODES[code].status);
  const lines = [...byStatus].map(([status, codes]) => {
    const links = codes.map((code) => html`<a href="/docs/errors#${code}">${code}</a> `);
    return html`<b>${status}</b><span>${links}</span>`;
  });
  return html`<div class="codes">${lines}</div>`;
}

export function fieldsView(fields: readonly Field[]): Html {
  return html`<dl>${fields.map(fieldView)}</dl>`;
}

const SHOWN_VALUES = 14;

function fieldView(field: Field): Html {
  const { name, type, component, isRequired, description } = field;
  const need = isRequired ? html`<span class="need">required</span>` : undefined;
  const kind = component === undefined ? html`${type}` : typeLink(type, component);
  return html`<div>
    <dt><code>${name}</code>${need}<span class="type">${kind}</span></dt>
    <dd>${description === "" ? undefined : html`${prose(description)} `}${factsView(field)}</dd>
  </div>`;
}

function factsView({ bounds, default: preset, values }: Field): readonly Html[] {
  const shown = values.slice(0, SHOWN_VALUES).map((value) => html`<code>${value}</code> `);
  const more = values.length > SHOWN_VALUES ? `and ${values.length - SHOWN_VALUES} more` : "";
  return [
    ...(values.length === 0 ? [] : [html`<span class="values">One of ${shown}${more}</span> `]),
    ...(bounds === "" ? [] : [html`<span class="soft">${bounds[0]?.toUpperCase()}${bounds.slice(1)}.</span> `]),
    ...(preset === undefined ? [] : [html`<span class="soft">Default</span> <code>${preset}</code>`]),
  ];
}

function typeLink(type: string, component: string): Html {
  const [before = "", after = ""] = type.split(component);
  return html`${before}${componentLink(component)}${after}`;
}

/** Answers have all their fields, but those of which it is said. */
function answerFields(schema: Schema): readonly Field[] {
  return fieldsOf(schema).map((field) => ({
    ...field,
    isRequired: false,
    type: field.isRequired ? field.type : `${field.type}, not always there`,
  }));
}

/** A resource or another named schema: its fields, once. */
export function schemaView(name: string, schema: Schema): Html {
  const fields = answerFields(schema);
  return html`<details class="op" id="schema-${name}" data-words="${name.toLowerCase()} schema">
    <summary><span class="method soft">type</span><code class="path">${name}</code></summary>
    <div class="body">
      ${schema.description === undefined ? undefined : html`<p>${prose(schema.description)}</p>`}
      ${fields.length === 0 ? html`<p>${typeOf(schema)}</p>` : fieldsView(fields)}
    </div>
  </details> `;
}
