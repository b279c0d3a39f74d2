/** C0, DEL, C1, line and paragraph separators, and the marks that reorder text (Unicode UAX #9). */
const CONTROLS = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Text for one line of a terminal: what could move the cursor, recolour or reorder is written as `\u{…}`. */
export function printable(text: string): string {
  return text.replaceAll(CONTROLS, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
