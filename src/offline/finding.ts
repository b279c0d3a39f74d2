/** One thing that was looked at: fine, worth a word, or wrong. */
export type Finding = { readonly check: string; readonly result: "ok" | "nag" | "fail"; readonly detail: string };
