import { redactKey } from '../log.ts';
import type { Target } from './target.ts';

/** What is shorter is shown whole wherever a key is shown (`redactKey`), and stands in many a word. */
const MIN_LENGTH = 5;

/** A server may say 64 KiB; a sentence of it goes into logs and answers. */
const MAX_SHOWN = 300;

/** What answers a challenge in Adobe's way: who has question and answer can try passwords in peace. */
const ANSWERS = /\b(user|response|challenge|cnonce)=[^&\s]+/g;

/**
 * Words of another server's, fit to be shown: without the keys, queries and passwords of `targets`, which it may repeat as
 * they are or percent-encoded, without our answer to what it asked, and no more of them than anybody reads.
 */
export function withoutSecrets(text: string, targets: readonly Target[]): string {
  const shown = new Map(targets.flatMap((target) => [...secretsOf(target)]));
  const forms = [...shown.keys()].sort((a, b) => b.length - a.length).map(escaped);
  const hidden =
    forms.length === 0
      ? text
      : text.replace(new RegExp(forms.join('|'), 'gi'), (found) => shown.get(found.toLowerCase()) ?? '…');
  const said = hidden.replace(ANSWERS, '$1=…');
  return said.length <= MAX_SHOWN ? said : `${said.slice(0, MAX_SHOWN)}…`;
}

/** Each form of each secret in lower case, with what is shown for it. */
function* secretsOf({ app, key, credentials }: Target): Iterable<readonly [form: string, shown: string]> {
  const [name, ...keyQuery] = key.split('?');
  const queries = [keyQuery.join('?'), app.split('?').slice(1).join('?')];
  const values = queries.flatMap((query) => query.split('&')).map((pair) => pair.slice(pair.indexOf('=') + 1));
  for (const secret of [...values, ...queries, credentials?.password ?? '']) yield* formsOf(secret, '…');
  for (const secret of [name!, key]) yield* formsOf(secret, redactKey(secret));
}

function* formsOf(secret: string, shown: string): Iterable<readonly [form: string, shown: string]> {
  if (secret.length < MIN_LENGTH) return;
  for (const form of [secret, changed(secret, encodeURIComponent), changed(secret, decodeURIComponent)])
    yield [form.toLowerCase(), shown];
}

/** Itself where it cannot be: half a pair of surrogates has no percent-encoded form, and not every % begins one. */
function changed(text: string, change: (text: string) => string): string {
  try {
    return change(text);
  } catch {
    return text;
  }
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
