// docs/providers/*.md: what each kind of key service offers, from its capability table, below what people have written about it.
import { readFileSync } from "node:fs";
import { ALGORITHM_NAMES, ALGORITHMS, type AlgorithmName } from "#core/algorithms.ts";
import type { Capabilities, CapabilityRow } from "#core/provider.ts";
import { AWS_KMS_CAPABILITIES } from "#providers/aws-kms/capabilities.ts";
import { hsmCapabilities, vaultCapabilities } from "#providers/azure-key-vault/capabilities.ts";
import { gcpKmsCapabilities } from "#providers/gcp-kms/capabilities.ts";
import { LOCAL_CAPABILITIES } from "#providers/local-hsm/capabilities.ts";
import { capabilitiesOf } from "#providers/pkcs11/capabilities.ts";
import { SOFTHSM } from "./softhsm.ts";

/** Of SoftHSM 2.6.1: a token offers what its mechanisms are. */
const TOKEN = capabilitiesOf(SOFTHSM);
if (TOKEN === undefined) throw new Error("SoftHSM wraps nothing");

const KINDS: Readonly<Record<string, Capabilities>> = {
  "aws-kms": AWS_KMS_CAPABILITIES,
  "azure-key-vault": vaultCapabilities({ hardwareProtected: false, retentionDays: 90 }),
  "azure-managed-hsm": hsmCapabilities({ retentionDays: 90 }),
  "gcp-kms": gcpKmsCapabilities("SOFTWARE"),
  "local-hsm": LOCAL_CAPABILITIES,
  pkcs11: TOKEN,
};

/** From this heading on a page is generated. */
const HEADING = "## What it offers";

/** The pages by their paths. */
export function providerPages(): ReadonlyMap<string, string> {
  const pages = Object.entries(KINDS).map(([kind, capabilities]): [string, string] => {
    const path = `docs/providers/${kind}.md`;
    return [path, pageOf(readFileSync(path, "utf8"), capabilities)];
  });
  return new Map(pages);
}

function pageOf(page: string, capabilities: Capabilities): string {
  const [written = ""] = page.split(`\n${HEADING}\n`, 1);
  const lines = [...factLines(capabilities), "", ...quotaLines(capabilities), ...algorithmLines(capabilities)];
  return `${written.trimEnd()}\n\n${lines.join("\n")}\n`;
}

function factLines({
  protection,
  entity,
  recipientAlgorithm,
  destructionDays,
  ...rest
}: Capabilities): readonly string[] {
  const days = destructionDays === null ? "none: at once" : `${destructionDays.min} to ${destructionDays.max} days`;
  return [
    HEADING,
    "",
    "From here on this page is made by `npm run docs` from the capability table.",
    "",
    "| | |",
    "|---|---|",
    `| Protection | ${protection} |`,
    `| Jurisdictions of the company behind it | ${entity.length === 0 ? "none: it runs where you run it" : entity.join(", ")} |`,
    `| Recipients of portable keys wrap with | ${recipientAlgorithm} |`,
    `| Its own window before a destruction | ${days} |`,
    `| A key can be kept from protecting alone | ${rest.processOnly ? "yes" : "no: the gateway keeps it from that"} |`,
    `| A change may stay unseen for | ${rest.propagationMs === 0 ? "no time" : `${rest.propagationMs / 1000} s`} |`,
  ];
}

function quotaLines({ quotas = [] }: Capabilities): readonly string[] {
  if (quotas.length === 0) return [];
  const rows = quotas.map(({ name, perSecond, operations, algorithms }) => {
    const of = algorithms === undefined ? "all" : algorithms.map((prefix) => `\`${prefix}…\``).join(", ");
    return `| ${name} | ${perSecond.toLocaleString("en")} | ${operations.join(", ")} | ${of} |`;
  });
  return [
    "### Quotas",
    "",
    "| Published limit | Per second | Operations | Algorithms |",
    "|---|---|---|---|",
    ...rows,
    "",
  ];
}

function algorithmLines({ rows }: Capabilities): readonly string[] {
  const offered = ALGORITHM_NAMES.filter((name) => rows.some(({ algorithm }) => algorithm === name));
  return [
    "### Algorithms",
    "",
    "Lengths are of the input, in bytes. What stands nowhere here is refused before anything is called.",
    "",
    "| Algorithm | Purpose | Operations | Context |",
    "|---|---|---|---|",
    ...offered.map((name) =>
      algorithmLine(
        name,
        rows.filter(({ algorithm }) => algorithm === name),
      ),
    ),
  ];
}

function algorithmLine(name: AlgorithmName, rows: readonly CapabilityRow[]): string {
  const contexts = [...new Set(rows.map(({ context }) => context))].filter((context) => context !== "none");
  const context =
    contexts.length === 0 ? "–" : contexts.map((kind) => (kind === "map" ? "strings" : "bytes")).join(", ");
  return `| ${name} | ${ALGORITHMS[name].purpose} | ${rows.map(operationText).join(" · ")} | ${context} |`;
}

function operationText({ operation, minInputBytes = 0, maxInputBytes, digests = false }: CapabilityRow): string {
  const lengths = maxInputBytes === 0 ? "" : ` ${minInputBytes}..${maxInputBytes}`;
  return `${operation}${lengths}${digests ? " or a digest" : ""}`;
}
