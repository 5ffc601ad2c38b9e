import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../log.ts';

/** Where an ACME client puts its answers below a webroot, and where the authority asks for them (RFC 8555, 8.3). */
export const ACME_CHALLENGE_PATH = '/.well-known/acme-challenge';

export const ACME_LIMITS = Object.freeze({
  // A token and the account key's thumbprint, with a dot between: 87 characters at Let's Encrypt.
  maxFileBytes: 4096,
});

/**
 * Base64url of at least 128 bits (RFC 8555, 8.3); 43 characters at Let's Encrypt. Without a dot or a slash it cannot leave its
 * folder, nor name a hidden file.
 */
const TOKEN = /^[\w-]{1,128}$/;

/**
 * Opened without following a link, and without waiting for the other end of a named pipe. Windows knows neither flag;
 * there the comparison of paths stands alone.
 */
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** No file, or no folder for it yet: somebody asked for a token that no client has written. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR']);

/** Reads what ACME clients leave in a webroot for the authority that asks whether this host is theirs. */
export class AcmeChallenges {
  readonly #webroot: string;
  readonly #log: Log;

  constructor(webroot: string, log: Log) {
    this.#webroot = webroot;
    this.#log = log;
  }

  /**
   * The answer to a challenge; undefined when there is none, or none that may be served: only plain files of moderate
   * size that are in the folder themselves. A file that is there and cannot be served is told to the operator, whose
   * certificate would fail for it.
   */
  async answer(token: string): Promise<Buffer | undefined> {
    if (!TOKEN.test(token)) return undefined;
    try {
      const answer = await this.#read(token);
      this.#log.info({ event: 'acme', challenge: token }, 'answered the challenge of a certificate authority');
      return answer;
    } catch (error) {
      this.#tell(token, error);
      return undefined;
    }
  }

  async #read(token: string): Promise<Buffer> {
    // The webroot itself may be a link, as people wish; what is below it comes from programs.
    const path = join(await realpath(this.#webroot), ACME_CHALLENGE_PATH, token);
    if ((await realpath(path)) !== path) throw new Refused('it, or a folder on the way to it, is a link');
    const file = await open(path, FLAGS);
    try {
      return await readPlain(file);
    } finally {
      await file.close();
    }
  }

  #tell(token: string, error: unknown): void {
    if (!(error instanceof Error)) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code !== undefined && ABSENT.has(code)) {
      const fields = { event: 'acme', challenge: token, webroot: this.#webroot };
      this.#log.debug(fields, 'an ACME challenge was asked for that is not in the webroot');
      return;
    }
    const reason = code === 'EACCES' ? 'the user of this process may not read it' : error.message;
    const fields = { event: 'acme', challenge: token, webroot: this.#webroot, reason };
    this.#log.warn(fields, `an ACME challenge is in the webroot and was not served: ${reason}`);
  }
}

/** Why a file that is there is not served. */
class Refused extends Error {}

async function readPlain(file: FileHandle): Promise<Buffer> {
  const found = await file.stat();
  if (!found.isFile()) throw new Refused('it is not a plain file');
  if (found.size > ACME_LIMITS.maxFileBytes) throw new Refused(`it has more than ${ACME_LIMITS.maxFileBytes} bytes`);
  // So many and no more, should it grow meanwhile.
  const { buffer, bytesRead } = await file.read(Buffer.alloc(found.size), 0, found.size, 0);
  return buffer.subarray(0, bytesRead);
}
