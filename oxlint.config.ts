import { defineConfig } from "oxlint";

type Row = { readonly sees?: readonly string[]; readonly uses?: readonly string[] };

/** The table of borders: what a module sees of ours, and which packages and built-ins it uses. */
const borders: Readonly<Record<string, Row>> = {
  core: { uses: ["node:crypto", "node:buffer"] },
  envelope: { sees: ["core"], uses: ["node:crypto", "node:buffer", "@noble/curves"] },
  policy: { sees: ["core"] },
  resilience: { sees: ["core"], uses: ["opossum"] },
  broker: { sees: ["core", "policy", "resilience", "envelope"] },
  lifecycle: { sees: ["core", "policy", "resilience", "envelope"] },
  migration: { sees: ["core", "policy", "resilience", "envelope"] },
  store: { sees: ["core"], uses: ["kysely", "kysely/*", "better-sqlite3", "node:*"] },
  audit: { sees: ["core"], uses: ["node:*"] },
  http: { sees: ["core"], uses: ["express", "zod", "@peculiar/x509", "reflect-metadata", "node:*"] },
  doors: {
    sees: ["core", "broker", "lifecycle", "migration", "http"],
    uses: ["express", "zod", "zod-openapi", "node:*"],
  },
  cli: { sees: ["core"], uses: ["commander", "cli-table3", "yaml", "node:*"] },
  offline: { sees: ["core", "envelope", "audit", "config"], uses: ["commander", "node:*"] },
  providers: { sees: ["core"], uses: ["*", "@*/*", "node:*"] },
  config: { sees: ["core"], uses: ["zod", "yaml", "node:*"] },
};
/** Packages that one file alone may import; everyone else goes through that file. */
const keepers: Readonly<Record<string, readonly string[]>> = {
  "src/resilience/breaker.ts": ["opossum"],
  "providers/aws-kms/client.ts": ["@aws-sdk/*", "@smithy/*"],
  "providers/azure-key-vault/client.ts": ["@azure/keyvault-keys"],
  "providers/azure-key-vault/credentials.ts": ["@azure/identity"],
  "providers/gcp-kms/client.ts": ["@google-cloud/*", "google-gax", "@grpc/*"],
  "providers/pkcs11/module.ts": ["pkcs11js"],
};
const folders: Readonly<Record<string, string>> = { doors: "src/doors/*", providers: "providers/*", config: "config" };

/** `no-restricted-imports` for a file that keeps the packages `own`. */
const restricted = (
  own: readonly string[] = [],
): ["error", { patterns: { group?: string[]; regex?: string; message: string }[] }] => {
  const others = Object.values(keepers).flatMap((kept) => kept.filter((name) => !own.includes(name)));
  const modules = ["src", "providers", "config", ...Object.keys(borders)].join("|");
  const patterns = [
    { group: others, message: "one file imports this package: see keepers in oxlint.config.ts" },
    { regex: `^(\\.\\./)+(${modules})/`, message: "an import across modules starts with #" },
    { regex: "^[.#].*\\.[cm]?js$", message: "imports of ours carry .ts" },
  ];
  return ["error", { patterns }];
};

export default defineConfig({
  options: { typeAware: true },
  plugins: ["eslint", "typescript", "unicorn", "oxc", "import", "node", "promise"],
  jsPlugins: ["eslint-plugin-boundaries"],
  ignorePatterns: ["dist", "node_modules"],
  categories: { correctness: "error", suspicious: "error" },
  settings: {
    "import/resolver": { typescript: true },
    "boundaries/include": ["{src,providers,config,test}/**/*.{ts,mts,cts,js,mjs,cjs}"],
    "boundaries/dependency-nodes": ["import", "dynamic-import", "export"],
    "boundaries/additional-dependency-nodes": [
      { name: "import-type", selector: "TSImportType > Literal", kind: "type" },
    ],
    "boundaries/elements": Object.keys(borders).map((type) => ({ type, pattern: folders[type] ?? `src/${type}` })),
    "boundaries/files": [
      { category: "root", pattern: ["src/app.ts", "src/app/**", "src/main.ts", "providers/registry.ts"] },
      { category: "test", pattern: "test/**" },
    ],
  },
  rules: {
    "typescript/no-floating-promises": "error",
    "typescript/no-misused-promises": "error",
    "typescript/switch-exhaustiveness-check": "error",
    "typescript/only-throw-error": "error",
    "typescript/no-explicit-any": "error",
    "typescript/no-non-null-assertion": "error",
    "import/no-default-export": "error",
    "import/no-cycle": ["error", { ignoreTypes: false }],
    "no-restricted-imports": restricted(),
    "typescript/no-unsafe-type-assertion": "off", // brands and parsers cast once, on purpose
    "import/no-named-as-default-member": "off", // objects to fc.assert
    "import/no-unassigned-import": ["error", { allow: ["reflect-metadata"] }], // @peculiar/x509 wants it first
    "typescript/consistent-return": "off", // tsc sees it, and understands exhaustive switches
    eqeqeq: "error",
    "no-console": "error",
    "node/no-process-env": "error",
    "boundaries/no-unknown-files": "error",
    "boundaries/no-unknown-dependencies": "error",
    "boundaries/dependencies": [
      "error",
      {
        default: "disallow",
        checkAllOrigins: true,
        policies: [
          {
            from: { file: { categories: ["root", "test"] } },
            allow: { to: { module: { origin: ["local", "external", "core"] } } },
          },
          { from: { element: { type: "offline" } }, allow: { to: { file: { path: "providers/registry.ts" } } } },
          { from: { file: { categories: "root" } }, disallow: { to: { file: { categories: "test" } } } },
          ...Object.entries(borders).flatMap(([type, { sees = [], uses = [] }]) => [
            { from: { element: { type } }, allow: { to: { element: { type: sees } } } },
            { from: { element: { type } }, allow: { to: { module: { origin: ["external", "core"], source: uses } } } },
          ]),
        ],
      },
    ],
  },
  overrides: [
    ...Object.entries(keepers).map(([file, own]) => ({
      files: [file],
      rules: { "no-restricted-imports": restricted(own) },
    })),
    {
      files: ["src/{core,envelope,policy}/**"],
      rules: { "no-restricted-globals": ["error", "fetch", "process", "setTimeout", "setInterval", "WebSocket"] },
    },
    {
      files: ["bin/**"],
      rules: { "no-restricted-imports": "off", "node/no-process-env": "off" },
    },
    { files: ["src/cli/**", "src/offline/**", "src/main.ts", "bin/**"], rules: { "no-console": "off" } },
    { files: ["src/main.ts"], rules: { "node/no-process-env": "off" } },
    {
      files: ["test/**", "bench/**"],
      rules: {
        "unicorn/consistent-function-scoping": "off",
        "no-restricted-imports": restricted(Object.values(keepers).flat()),
        "node/no-process-env": "off",
      },
    },
    { files: ["localstack/**", "bench/**"], rules: { "no-console": "off", "node/no-process-env": "off" } },
    { files: ["*.config.ts"], rules: { "import/no-default-export": "off", "node/no-process-env": "off" } },
  ],
});
