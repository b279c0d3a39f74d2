/** What an emulator is known not to do: the test's title, and why. Source: measurement of November 2026. */
export const DECLINED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "local-kms": {},
  ministack: {},
};
