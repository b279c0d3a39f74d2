/** The append-only file of wraps and seals: what opens every ciphertext when the database is lost (keys.md, Journal). */
import type {
  BranchRecord,
  BranchVersionRecord,
  KeyRecord,
  NamespaceRecord,
  RecipientRecord,
  VersionRecord,
  WrapRecord,
} from "./records.ts";

/** What one line tells. */
export type JournalEntry =
  | {
      readonly type: "branch";
      readonly namespace: NamespaceRecord;
      readonly branch: BranchRecord;
      readonly branchVersion: BranchVersionRecord;
    }
  | {
      readonly type: "wrap";
      readonly namespace: NamespaceRecord;
      readonly recipient: RecipientRecord;
      readonly wrap: WrapRecord;
      readonly commitment: string;
    }
  | {
      readonly type: "version";
      readonly namespace: NamespaceRecord;
      readonly key: KeyRecord;
      readonly version: VersionRecord;
    }
  /** The version's seal is erased: its lines go, and this one stays in their place. */
  | {
      readonly type: "tombstone";
      readonly namespace: NamespaceRecord;
      readonly key: KeyRecord;
      readonly version: VersionRecord;
    };

export interface Journal extends AsyncDisposable {
  /**
   * Appends what no line tells yet, to every target, and syncs them; a target that cannot be written rejects. A tombstone rewrites the targets
   * without the lines of its version; the lines of others stay byte for byte.
   */
  append(entries: readonly JournalEntry[]): Promise<void>;
  /** The lines that tell entries, without their line feeds; nothing is written. */
  linesOf(entries: readonly JournalEntry[]): readonly string[];
}
