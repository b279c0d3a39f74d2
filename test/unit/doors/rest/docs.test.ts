import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ERROR_CODES, type ErrorCode } from "#core/errors.ts";
import { restRoutes } from "#doors/rest/door.ts";
import { errorsPage } from "#doors/rest/docs/errors-page.ts";
import { PAGE_HEADERS } from "#doors/rest/docs/frame.ts";
import { html, prose } from "#doors/rest/docs/html.ts";
import { docsPage } from "#doors/rest/docs/page.ts";
import { fieldsOf, typeOf } from "#doors/rest/docs/schema.ts";
import { ERROR_NOTES } from "#doors/rest/error-notes.ts";
import type { RestParts } from "#doors/rest/rest-parts.ts";
import { errorsMarkdown, restDocument } from "../../../../deploy/rest-documents.ts";

const CODES = Object.keys(ERROR_CODES) as ErrorCode[];
const routes = restRoutes({ version: "1.2.3", metricsOpen: false } as RestParts);
const page = docsPage(restDocument("1.2.3"));
const pages = [
  { name: "/docs", text: page },
  { name: "/docs/errors", text: errorsPage("1.2.3") },
];

describe("HTML templates", () => {
  it("escape what is put in, in texts and in attributes", () => {
    const bad = `<img src=x onerror="alert('&')">`;
    expect(html`<a title="${bad}">${bad}</a>`.text).toBe(
      `<a title="&lt;img src=x onerror=&quot;alert(&#39;&amp;&#39;)&quot;&gt;">&lt;img src=x onerror=&quot;alert(&#39;&amp;&#39;)&quot;&gt;</a>`,
    );
  });

  it("take templates, lists of them, numbers and nothing", () => {
    const items = [1, 2].map((item) => html`<b>${item}</b>`);
    expect(html`<p>${items}${undefined}</p>`.text).toBe("<p><b>1</b><b>2</b></p>");
  });

  it("write code between backticks", () => {
    expect(prose("send `<b>` and `{}`.").text).toBe("send <code>&lt;b&gt;</code> and <code>{}</code>.");
  });
});

describe.for(pages)("the page $name", ({ text }) => {
  it("loads nothing from anywhere", () => {
    const loaded = [...text.matchAll(/(?:src|href|action)="([^"]*)"|url\(([^)]*)\)|@import/giu)].map(
      ([all, target]) => target ?? all,
    );
    expect(loaded.filter((target) => !/^(?:#|\/docs|\/openapi\.json|data:,$)/u.test(target))).toEqual([]);
  });

  it("has the scripts and styles that its policy allows, and no other", () => {
    const policy = PAGE_HEADERS["Content-Security-Policy"];
    const inline = [...text.matchAll(/<(script|style)>(.*?)<\/\1>/gsu)];
    expect(inline.length).toBeGreaterThan(0);
    for (const [, kind, content = ""] of inline) {
      expect(policy).toContain(`${kind}-src 'sha256-${createHash("sha256").update(content).digest("base64")}'`);
    }
    expect(text).not.toMatch(
      /<(?:script|style|iframe|object|embed|form|link rel="stylesheet")[ >](?<!<script>|<style>)/u,
    );
    expect(text).not.toMatch(/ (?:on[a-z]+|style)=/u);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain("unsafe");
  });

  it("closes what it opens", () => {
    for (const tag of [
      "div",
      "section",
      "details",
      "summary",
      "dl",
      "dt",
      "dd",
      "ul",
      "li",
      "table",
      "tr",
      "td",
      "code",
      "pre",
      "a",
      "span",
    ]) {
      const count = (form: RegExp): number => text.match(form)?.length ?? 0;
      expect(count(new RegExp(`<${tag}[\\s>]`, "gu")), tag).toBe(count(new RegExp(`</${tag}\\s*>`, "gu")));
    }
  });

  it("has each anchor once, and each that it leads to", () => {
    const anchors = [...text.matchAll(/ id="([^"]+)"/gu)].map(([, id]) => id);
    expect(new Set(anchors).size).toBe(anchors.length);
    const targets = [...text.matchAll(/href="#([^"]+)"/gu)].map(([, id]) => id);
    expect(targets.filter((id) => !anchors.includes(id))).toEqual([]);
  });
});

describe("the page of the interface", () => {
  it.for(routes.map(({ method, path, summary }) => ({ method, path, summary })))(
    "shows $method $path",
    ({ method, path, summary }) => {
      const shown = path.replaceAll(/:(\w+)/gu, "<i>{$1}</i>");
      expect(page).toContain(`>${method}</span><code class="path">${shown}</code`);
      expect(page).toContain(html`${summary}`.text);
    },
  );

  it("has a command to try each operation that has a body", () => {
    expect(page).toContain(
      "-d &#39;{&quot;plaintext&quot;:&quot;aGVsbG8=&quot;,&quot;context&quot;:{&quot;tenant&quot;:&quot;acme&quot;}}&#39;",
    );
    expect(page).toContain("-X PATCH");
    expect(page).toContain("application/yaml");
  });

  it("escapes what a document says", () => {
    const document = structuredClone(restDocument("1.2.3"));
    document.info.description = "<script>alert(1)</script>";
    expect(docsPage(document)).not.toContain("<script>alert(1)");
  });
});

describe("the table of error codes", () => {
  it.for(CODES)("%s has an anchor, its status, and what to do next", (code) => {
    const text = errorsPage("1");
    const row = text.slice(text.indexOf(`<tr id="${code}">`), text.indexOf("</tr>", text.indexOf(`<tr id="${code}">`)));
    expect(row).toContain(`>${ERROR_CODES[code].status}<`);
    expect(row).toContain(`>${ERROR_CODES[code].retry}<`);
    expect(row).toContain(prose(ERROR_NOTES[code].next).text);
  });

  it("is the one in docs/errors.md (npm run docs)", () => {
    expect(readFileSync("docs/errors.md", "utf8")).toBe(errorsMarkdown());
  });

  it("is in sentences", () => {
    for (const { means, next } of Object.values(ERROR_NOTES)) {
      expect(means).toMatch(/^[A-Z`].*\.$/u);
      expect(next).toMatch(/^[A-Z`].*\.$/u);
    }
  });
});

describe("a schema in words", () => {
  it.for([
    { schema: { type: "string", contentEncoding: "base64" }, words: "base64" },
    { schema: { type: ["integer", "null"] }, words: "integer or null" },
    { schema: { type: "array", items: { $ref: "#/components/schemas/Key" } }, words: "list of Key" },
    { schema: { type: "object", additionalProperties: { type: "string" } }, words: "map of string" },
    { schema: { anyOf: [{ $ref: "#/components/schemas/Key" }, { type: "null" }] }, words: "Key or null" },
    { schema: { type: "string", format: "date-time" }, words: "time" },
  ])("is $words", ({ schema, words }) => {
    expect(typeOf(schema)).toBe(words);
  });

  it("lists nested fields behind their parents, and those of variants once", () => {
    const variant = (kind: string, members: object): object => ({
      type: "object",
      properties: { kind: { type: "string", const: kind }, ...members },
      required: ["kind"],
    });
    const schema = {
      type: "object",
      properties: {
        rotation: { type: "object", properties: { everyDays: { type: "integer" } } },
        custody: { oneOf: [variant("portable", { minimum: { type: "integer" } }), variant("native", {})] },
      },
    };
    const fields = fieldsOf(schema as never).map(({ name, values, description }) => ({ name, values, description }));
    expect(fields).toEqual([
      { name: "rotation", values: [], description: "" },
      { name: "rotation.everyDays", values: [], description: "" },
      { name: "custody", values: [], description: "" },
      { name: "custody.kind", values: ["portable", "native"], description: "" },
      { name: "custody.minimum", values: [], description: "For `portable`." },
    ]);
  });
});
