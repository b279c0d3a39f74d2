// Writes the documents that follow from the code: docs/openapi.json, docs/errors.md and docs/providers. A test compares them.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { providerPages } from "./provider-pages.ts";
import { errorsMarkdown, restDocument } from "./rest-documents.ts";

const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { readonly version: string };
writeFileSync("docs/openapi.json", `${JSON.stringify(restDocument(version), null, 2)}\n`);
writeFileSync("docs/errors.md", errorsMarkdown());
for (const [path, page] of providerPages()) writeFileSync(path, page);
execFileSync("node_modules/.bin/oxfmt", [...providerPages().keys()]); // as every file of the repository
