import { keyIdOf, parseUuid } from "#core/ids.ts";
import type { JournalEntry } from "#core/journal.ts";
import type { KeyRecord, NamespaceRecord, VersionRecord } from "#core/records.ts";
import { BRANCH, countingKey, KEY, NAMESPACE, RECIPIENT } from "./fixtures.ts";

type EntryOf<T extends JournalEntry["type"]> = Extract<JournalEntry, { type: T }>;

export const BINDING = parseUuid("01890a5d-ac96-774b-bcce-b302099a805b");

const AWS_UID = "aws:111122223333:eu-central-1";
const commitment = countingKey(0x60).toString("base64");

const namespace: NamespaceRecord = {
  id: NAMESPACE,
  name: "default",
  dualControl: false,
  approvers: 1,
  activation: "automatic",
  createTime: 1_700_000_000_000,
};

const lifecycle = {
  state: "active",
  stateReason: null,
  processing: null,
  previousReason: null,
  activateTime: null,
  protectStopTime: null,
  deactivateTime: null,
  destroyTime: null,
  compromiseOccurrenceTime: null,
} as const;

const key: KeyRecord = {
  ...lifecycle,
  id: keyIdOf(KEY),
  namespace: "default",
  name: "invoices",
  aliases: ["billing/invoices"],
  labels: {},
  description: "",
  owner: "",
  contacts: [],
  dataClass: "",
  attributes: {},
  purpose: "encrypt",
  algorithm: "AES-256-GCM",
  custody: { kind: "portable", holders: ["aws-eu", "local"], minimum: 2, threshold: 1, dedicated: true },
  origin: "generated",
  exportability: { extractable: false, neverExtractable: true, sensitive: true, alwaysSensitive: true, fresh: true },
  links: [],
  hold: null,
  primaryVersion: 7,
  pendingVersion: null,
  pendingTime: null,
  latestVersion: 7,
  rotation: { everyDays: 365, maxMessages: null, maxBytes: null, nextTime: null },
  onState: "stop",
  route: "default",
  branch: BRANCH,
  generation: 1,
  createTime: 1_700_000_000_001,
  updateTime: 1_700_000_000_001,
  createdBy: "cli",
};

const version: VersionRecord = {
  ...lifecycle,
  key: key.id,
  version: 7,
  branch: BRANCH,
  branchVersion: 2,
  seal: Buffer.alloc(40, 0x33).toString("base64"),
  createTime: 1_700_000_000_004,
};

export const branchEntry: EntryOf<"branch"> = {
  type: "branch",
  namespace,
  branch: {
    id: BRANCH,
    namespace: "default",
    recipients: [
      { provider: "aws-eu", uid: AWS_UID },
      { provider: "local", uid: null },
    ],
    minimum: 2,
    threshold: 1,
    route: "default",
    dedicatedTo: key.id,
    primaryVersion: 2,
    createTime: 1_700_000_000_001,
  },
  branchVersion: {
    branch: BRANCH,
    version: 2,
    commitment,
    origin: ["gateway", AWS_UID],
    createTime: 1_700_000_000_002,
  },
};

export const wrapEntry: EntryOf<"wrap"> = {
  type: "wrap",
  namespace,
  recipient: {
    id: RECIPIENT,
    namespace: "default",
    providerUid: AWS_UID,
    nativeRef: "arn:aws:kms:eu-central-1:111122223333:key/mrk-1",
    dedicatedTo: null,
    createTime: 1_700_000_000_001,
  },
  wrap: {
    id: `bnd_${BINDING}`,
    branch: BRANCH,
    branchVersion: 2,
    recipient: RECIPIENT,
    wrap: Buffer.from("the provider's own bytes").toString("base64"),
    desired: "enabled",
    quarantine: null,
    createTime: 1_700_000_000_003,
  },
  commitment,
};

export const versionEntry: EntryOf<"version"> = { type: "version", namespace, key, version };
