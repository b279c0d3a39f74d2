/**
 * What needs no gateway, as the commands call it. It is given from outside, because the command sees the language of the domain alone; each
 * rejects with a sentence for people.
 */
export type OfflineCommands = {
  /** Runs a gateway until it is told to stop; resolves with the exit code. */
  serve(options: ServeOptions): Promise<number>;
  /** Makes the data folder and what a gateway needs to start, without starting it; resolves with the exit code. */
  init(options: InitOptions): Promise<number>;
  /** Looks at a configuration and a data folder without a gateway. */
  doctor(options: DoctorOptions): Promise<readonly Finding[]>;
  /** Opens a portable ciphertext with a journal and one provider; resolves with the plaintext. */
  open(options: OpenOptions): Promise<Uint8Array>;
  verifyAudit(options: VerifyAuditOptions): Promise<AuditVerdict>;
};

export type ServeOptions = {
  readonly config?: string;
  readonly data: string;
  readonly port?: number;
  readonly insecureHttp: boolean;
};

export type InitOptions = { readonly config?: string; readonly data: string };

export type DoctorOptions = { readonly config?: string; readonly data: string; readonly provider?: string };

/** One thing that was looked at: fine, worth a word, or wrong. */
export type Finding = {
  readonly check: string;
  readonly result: "ok" | "nag" | "fail";
  readonly detail: string;
};

export type OpenOptions = {
  /** `clv1.…`, without white space around it. */
  readonly ciphertext: string;
  readonly journal: string;
  /** Absent: the configuration that a gateway runs without any. */
  readonly config?: string;
  readonly provider: string;
  readonly context: Readonly<Record<string, string>>;
};

export type VerifyAuditOptions = {
  readonly folder: string;
  readonly publicKeys: readonly string[];
  readonly anchors: readonly string[];
};

export type AuditVerdict = {
  readonly ok: boolean;
  readonly [member: string]: unknown;
};
