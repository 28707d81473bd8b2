const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

let count = 0;

/** What a tenant's server would sign, with a signature that nobody here looks at; no two are the same. */
export function jwtFor(subject: string, expires = Math.floor(Date.now() / 1000) + 300): string {
  count += 1;
  return `${part({ alg: "HS256" })}.${part({ sub: subject, exp: expires, jti: `jti-${count}` })}.signature`;
}
