import type { Body } from "./input.ts";
import type { VaultState } from "./state.ts";

/** What was asked: `name` is empty where the path has none. */
export type Asked = {
  readonly name: string;
  readonly version: string | undefined;
  readonly query: URLSearchParams;
  readonly body: Body;
};

export type Result = Readonly<Record<string, unknown>> | undefined;

/** Answers 200 with the result, or 204 with none. */
export type Operation = (vault: VaultState, asked: Asked) => Result | Promise<Result>;
