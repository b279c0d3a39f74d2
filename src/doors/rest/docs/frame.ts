import { createHash } from "node:crypto";
import { Html, html } from "./html.ts";
import { SCRIPT, STYLE } from "./style.ts";

type Page = { readonly title: string; readonly version: string; readonly body: Html; readonly hasScript: boolean };

/** A whole page: nothing in it is loaded from anywhere. */
export function frame({ title, version, body, hasScript }: Page): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <link rel="icon" href="data:," />
        ${STYLE_ELEMENT}
      </head>
      <body id="top">
        <header class="top">
          <strong><a href="/docs">Claviger</a></strong
          ><span class="soft">${version}</span>
          <nav><a href="/docs">API</a><a href="/docs/errors">Errors</a><a href="/openapi.json">OpenAPI</a></nav>
        </header>
        ${body} ${hasScript ? SCRIPT_ELEMENT : undefined}
      </body>
    </html> `.text;
}

// in plain strings, since their hashes count every space
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);
const SCRIPT_ELEMENT = new Html(`<script>${SCRIPT}</script>`);

const sha256 = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** Headers of the pages: they run our one script, show our one style, and load nothing. */
export const PAGE_HEADERS = {
  "Content-Type": "text/html; charset=utf-8",
  "Content-Security-Policy": [
    "default-src 'none'",
    `style-src ${sha256(STYLE)}`,
    `script-src ${sha256(SCRIPT)}`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
} as const;
