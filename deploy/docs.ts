// Writes the documents that follow from the code: docs/openapi.json and docs/errors.md. A test compares them.
import { readFileSync, writeFileSync } from "node:fs";
import { errorsMarkdown, restDocument } from "./rest-documents.ts";

const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { readonly version: string };
writeFileSync("docs/openapi.json", `${JSON.stringify(restDocument(version), null, 2)}\n`);
writeFileSync("docs/errors.md", errorsMarkdown());
