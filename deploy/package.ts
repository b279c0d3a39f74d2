// After `tsc -p tsconfig.build.json`: makes dist/ a package of its own, so that `npm pack ./dist` is what is published.
import { cpSync, readFileSync, writeFileSync } from "node:fs";

type Manifest = { readonly imports: Readonly<Record<string, string>> } & Readonly<Record<string, unknown>>;

const source = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;
const kept = ["name", "version", "description", "license", "type", "engines", "bin", "dependencies"];
const imports = Object.entries(source.imports).map(([name, target]) => [name, target.replace(/\.ts$/u, ".js")]);
const manifest = {
  ...Object.fromEntries(kept.filter((field) => field in source).map((field) => [field, source[field]])),
  imports: Object.fromEntries(imports),
};
writeFileSync("dist/package.json", `${JSON.stringify(manifest, null, 2)}\n`);
for (const file of ["bin/claviger.js", "bin/find-node.js"]) cpSync(file, `dist/${file}`);
