import { ERROR_CODES, type ErrorCode } from "#core/errors.ts";
import { ERROR_NOTES, ERRORS_INTRODUCTION } from "../error-notes.ts";
import { frame } from "./frame.ts";
import { type Html, html, prose } from "./html.ts";

const CODES = Object.keys(ERROR_CODES) as ErrorCode[];
/** The table of codes as a page, with an anchor per code: where `type` of a problem leads. */
export function errorsPage(version: string): string {
  const body = html`<div class="layout wide">
    <main>
      <h1>Error codes</h1>
      <p class="lead">${prose(ERRORS_INTRODUCTION)}</p>
      <table>
        <thead>
          <tr>
            <th>Code</th>
            <th>Status</th>
            <th>Retry</th>
            <th>What it means</th>
            <th>What to do next</th>
          </tr>
        </thead>
        <tbody>
          ${CODES.map(row)}
        </tbody>
      </table>
    </main>
  </div>`;
  return frame({ title: "Claviger error codes", version, body, hasScript: false });
}

function row(code: ErrorCode): Html {
  const { status, retry, title } = ERROR_CODES[code];
  const { means, next } = ERROR_NOTES[code];
  return html`<tr id="${code}">
    <td class="code">
      <a href="#${code}"><code>${code}</code></a>
    </td>
    <td data-label="Status">${status}</td>
    <td data-label="Retry">${retry}</td>
    <td><b>${title}.</b> ${prose(means)}</td>
    <td data-label="Next">${prose(next)}</td>
  </tr> `;
}
