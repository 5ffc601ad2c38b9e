/** By which somebody else knows us. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** RFC 1929 has one byte for either length; nobody's other passwords are longer. */
export const MAX_CREDENTIAL_BYTES = 255;

/**
 * Reads a URL's `user:password`, percent-encoded where a character would end it. Returns what is wrong as text that repeats
 * nothing of it.
 */
export function readUserinfo(userinfo: string): Credentials | string {
  const colon = userinfo.indexOf(':');
  if (colon < 0) return 'a user needs a password: write USER:PASSWORD@HOST';
  const [user, password] = [userinfo.slice(0, colon), userinfo.slice(colon + 1)].map(decode);
  if (user === undefined || password === undefined)
    return 'user or password has a % that stands for nothing: write %25';
  if (userinfo.includes('@')) return 'an @ in a user or password is written %40';
  return credentialsFault({ user, password }) ?? { user, password };
}

/** What is wrong with a user and a password, or nothing. */
export function credentialsFault({ user, password }: Credentials): string | undefined {
  if (user === '' || user.includes(':')) return 'the user must have a name, without a colon in it';
  const isTooLong = [user, password].some((text) => Buffer.byteLength(text) > MAX_CREDENTIAL_BYTES);
  return isTooLong ? `user and password may have ${MAX_CREDENTIAL_BYTES} bytes each` : undefined;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
