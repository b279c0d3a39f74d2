/** Colours words that say how a thing is (SGR, ECMA-48 § 8.3.117); with colour off, text stays as it is. */
export type Paint = (text: string) => string;

const [RED, GREEN, YELLOW] = [31, 32, 33];

const COLOURS: Readonly<Record<string, number>> = {
  up: GREEN,
  active: GREEN,
  ok: GREEN,
  ready: GREEN,
  degraded: YELLOW,
  drained: YELLOW,
  suspended: YELLOW,
  nag: YELLOW,
  deactivated: YELLOW,
  down: RED,
  misconfigured: RED,
  fail: RED,
  destroyed: RED,
  "not ready": RED,
};

/** Colour is for a terminal, and for nobody who set NO_COLOR (no-color.org: present and not empty). */
export function createPaint(isTerminal: boolean, environment: Readonly<Record<string, string | undefined>>): Paint {
  if (!isTerminal || (environment["NO_COLOR"] ?? "") !== "" || environment["TERM"] === "dumb") return (text) => text;
  return (text) => {
    const colour = Object.hasOwn(COLOURS, text) ? COLOURS[text] : undefined;
    return colour === undefined ? text : `\u001b[${colour}m${text}\u001b[39m`;
  };
}
