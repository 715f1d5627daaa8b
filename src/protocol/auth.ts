/**
 * The two authentication plugins as step functions, in both roles: towards clients the proxy is the
 * server, towards servers it is the client. Nothing here waits; callers move the packets.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_authentication_methods_native_password_authentication.html
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_caching_sha2_authentication_exchanges.html
 */
import { constants, createHash, publicEncrypt, timingSafeEqual } from "node:crypto";
import { ProtocolError, SluiceError } from "../errors.ts";
import { concat, decodeText, encodeText } from "./bytes.ts";
import { Head } from "./constants.ts";
import {
  decodeAuthMoreData,
  decodeAuthSwitch,
  encodeAuthMoreData,
  encodeAuthSwitch,
} from "./handshake.ts";
import { SHA1_BLOCK_LIMIT, sha1OfBlock } from "./sha1.ts";

export const NATIVE = "mysql_native_password";
export const SHA2 = "caching_sha2_password";
export type PluginName = typeof NATIVE | typeof SHA2;

export function isSpoken(plugin: string): plugin is PluginName {
  return plugin === NATIVE || plugin === SHA2;
}

/** Bytes of a nonce, without the NUL that follows it on the wire. */
export const NONCE_LENGTH = 20;
const SHA1_LENGTH = 20;
const SHA256_LENGTH = 32;

/** Data bytes of caching_sha2_password. */
const REQUEST_PUBLIC_KEY = 0x02;
const FAST_OK = 0x03;
const FULL_AUTHENTICATION = 0x04;

const EMPTY = new Uint8Array(0);

/** Of `data` and, behind it, `tail`. */
function sha1(data: Uint8Array, tail: Uint8Array = EMPTY): Uint8Array {
  if (data.length + tail.length <= SHA1_BLOCK_LIMIT) return sha1OfBlock(data, tail);
  return createHash("sha1").update(data).update(tail).digest();
}

function sha256(data: Uint8Array): Uint8Array {
  return createHash("sha256").update(data).digest();
}

/** XOR with `key` repeated over the whole of `data`. */
function xor(data: Uint8Array, key: Uint8Array): Uint8Array {
  const result = new Uint8Array(data.length);
  for (let at = 0; at < data.length; at++) result[at] = data[at]! ^ key[at % key.length]!;
  return result;
}

/**
 * What an account's secret is known as. `password` serves every plugin; `sha1` = SHA1(password),
 * which a native login reveals to whoever holds the stage-2 hash, serves native logins only.
 */
export class LoginKey {
  readonly password: string | undefined;
  /** SHA1(password). */
  readonly sha1: Uint8Array;
  /** SHA1(SHA1(password)). */
  readonly sha1Twice: Uint8Array;
  /** SHA256(password) and SHA256(SHA256(password)); only where the password itself is known. */
  readonly sha256: Uint8Array | undefined;
  readonly sha256Twice: Uint8Array | undefined;

  private constructor(
    password: string | undefined,
    { stage1, stage2 }: { readonly stage1: Uint8Array; readonly stage2: Uint8Array },
  ) {
    this.password = password;
    this.sha1 = stage1;
    this.sha1Twice = stage2;
    if (password === undefined) return;
    this.sha256 = sha256(encodeText(password));
    this.sha256Twice = sha256(this.sha256);
  }

  static fromPassword(password: string): LoginKey {
    const stage1 = sha1(encodeText(password));
    return new LoginKey(password, { stage1, stage2: sha1(stage1) });
  }

  /** @param stage2 SHA1(stage1), where it is known already */
  static fromSha1(stage1: Uint8Array, stage2 = sha1(stage1)): LoginKey {
    return new LoginKey(undefined, { stage1, stage2 });
  }

  get isEmpty(): boolean {
    return this.password === "";
  }
}

/** What a client's answer is checked against: hashes that do not reveal the password. */
export interface Verifier {
  readonly isEmpty: boolean;
  /** SHA1(SHA1(password)). */
  readonly sha1Twice: Uint8Array;
  /** SHA256(SHA256(password)); absent until the password has been seen once. */
  readonly sha256Twice?: Uint8Array;
}

export function verifierOf({ isEmpty, sha1Twice, sha256Twice }: LoginKey): Verifier {
  return sha256Twice === undefined ? { isEmpty, sha1Twice } : { isEmpty, sha1Twice, sha256Twice };
}

/** SHA1(password) XOR SHA1(nonce + SHA1(SHA1(password))); empty for an empty password. */
export function nativeProof(key: LoginKey, nonce: Uint8Array): Uint8Array {
  if (key.isEmpty) return EMPTY;
  return xor(key.sha1, sha1(nonce, key.sha1Twice));
}

/** SHA1(password) out of a right answer, undefined for a wrong one. */
function openNativeProof(
  proof: Uint8Array,
  nonce: Uint8Array,
  verifier: Verifier,
): Uint8Array | undefined {
  if (proof.length !== SHA1_LENGTH) return undefined;
  const stage1 = xor(proof, sha1(nonce, verifier.sha1Twice));
  return timingSafeEqual(sha1(stage1), verifier.sha1Twice) ? stage1 : undefined;
}

/** SHA256(password) XOR SHA256(SHA256(SHA256(password)) + nonce); empty for an empty password. */
export function sha2Proof(key: LoginKey, nonce: Uint8Array): Uint8Array {
  if (key.sha256 === undefined || key.sha256Twice === undefined || key.isEmpty) return EMPTY;
  return xor(key.sha256, sha256(concat([key.sha256Twice, nonce])));
}

function isSha2Proof(proof: Uint8Array, nonce: Uint8Array, sha256Twice: Uint8Array): boolean {
  if (proof.length !== SHA256_LENGTH) return false;
  return timingSafeEqual(sha256(xor(proof, sha256(concat([sha256Twice, nonce])))), sha256Twice);
}

/** The proxy's RSA key, with which clients hide their password on a connection without TLS. */
export interface RsaKey {
  /** PEM, as it goes to the client. */
  readonly publicKey: Uint8Array;
  /** OAEP with SHA-1, as MySQL has it. @throws for anything that the key did not encrypt */
  decrypt(data: Uint8Array): Uint8Array;
}

/** What the caller does next while a client logs in. */
export type ServerStep =
  /** Send the payload, then hand the client's next payload to `next`. */
  | { readonly kind: "send"; readonly payload: Uint8Array }
  /** Hand the RSA key to `useRsaKey`. */
  | { readonly kind: "need_rsa_key" }
  /** Send `payload` if there is one, then OK. `key` is what the login revealed. */
  | { readonly kind: "accepted"; readonly key: LoginKey | undefined; readonly payload?: Uint8Array }
  | { readonly kind: "refused"; readonly usingPassword: boolean };

export interface ServerAuthOptions {
  readonly nonce: Uint8Array;
  readonly verifier: Verifier;
  /** Plugin that the greeting named. */
  readonly announced: PluginName;
}

/** The server's role in one login of one client. */
export class ServerAuth {
  readonly #options: ServerAuthOptions;
  #plugin: PluginName | undefined;
  #expects: "proof" | "key request" | "encrypted password" = "proof";
  #rsaKey: RsaKey | undefined;

  constructor(options: ServerAuthOptions) {
    this.#options = options;
  }

  /**
   * The answer counts only if it is by the plugin of the greeting: clients take that one's nonce for
   * no other, and send nothing yet where they name another. As servers do it.
   * @param plugin as named by the login request; empty where the client cannot name one
   */
  start(plugin: string, response: Uint8Array): ServerStep {
    const { announced } = this.#options;
    if (plugin === "" || plugin === announced) {
      this.#plugin = plugin === "" ? NATIVE : announced;
      return this.#proof(response);
    }
    return this.switchTo(isSpoken(plugin) ? plugin : announced);
  }

  /** Asks for an answer anew; also how COM_CHANGE_USER begins, whose own answer is of no use. */
  switchTo(plugin: PluginName): ServerStep {
    this.#plugin = plugin;
    this.#expects = "proof";
    const payload = encodeAuthSwitch({ plugin, authData: this.#options.nonce });
    return { kind: "send", payload };
  }

  next(payload: Uint8Array): ServerStep {
    switch (this.#expects) {
      case "proof":
        return this.#proof(payload);
      case "key request":
        if (payload.length === 1 && payload[0] === REQUEST_PUBLIC_KEY) {
          return { kind: "need_rsa_key" };
        }
        // Without the key the password would be readable on the wire: not over plain TCP.
        return { kind: "refused", usingPassword: true };
      case "encrypted password":
        return this.#encryptedPassword(payload);
    }
  }

  useRsaKey(key: RsaKey): ServerStep {
    this.#expects = "encrypted password";
    this.#rsaKey = key;
    return { kind: "send", payload: encodeAuthMoreData(key.publicKey) };
  }

  #proof(response: Uint8Array): ServerStep {
    const { nonce, verifier } = this.#options;
    // Some clients answer an empty password with its terminating NUL.
    const isEmpty = response.length === 0 || (response.length === 1 && response[0] === 0);
    if (isEmpty || verifier.isEmpty) {
      if (isEmpty && verifier.isEmpty) {
        return { kind: "accepted", key: LoginKey.fromPassword("") };
      }
      return { kind: "refused", usingPassword: !isEmpty };
    }
    if (this.#plugin === NATIVE) {
      const stage1 = openNativeProof(response, nonce, verifier);
      if (stage1 === undefined) return { kind: "refused", usingPassword: true };
      return { kind: "accepted", key: LoginKey.fromSha1(stage1, verifier.sha1Twice) };
    }
    if (verifier.sha256Twice === undefined) {
      this.#expects = "key request";
      return { kind: "send", payload: encodeAuthMoreData(Uint8Array.of(FULL_AUTHENTICATION)) };
    }
    if (!isSha2Proof(response, nonce, verifier.sha256Twice)) {
      return { kind: "refused", usingPassword: true };
    }
    return {
      kind: "accepted",
      key: undefined,
      payload: encodeAuthMoreData(Uint8Array.of(FAST_OK)),
    };
  }

  #encryptedPassword(encrypted: Uint8Array): ServerStep {
    let text: Uint8Array;
    try {
      text = xor(this.#rsaKey!.decrypt(encrypted), this.#options.nonce);
    } catch {
      return { kind: "refused", usingPassword: true };
    }
    const end = text.indexOf(0);
    if (end < 0) return { kind: "refused", usingPassword: true };
    const login = LoginKey.fromPassword(decodeText(text.subarray(0, end)));
    const isRight = timingSafeEqual(login.sha1Twice, this.#options.verifier.sha1Twice);
    return isRight ? { kind: "accepted", key: login } : { kind: "refused", usingPassword: true };
  }
}

/** The client's role in one login on one server. */
export class ClientAuth {
  readonly #key: LoginKey;
  #nonce: Uint8Array = EMPTY;
  #plugin = "";

  constructor(key: LoginKey) {
    this.#key = key;
  }

  /** Plugin and answer of the login request; the server switches if the account has another one. */
  start(plugin: string, nonce: Uint8Array): { plugin: PluginName; response: Uint8Array } {
    this.#nonce = nonce;
    const spoken = plugin === SHA2 && this.#key.sha256 !== undefined ? SHA2 : NATIVE;
    this.#plugin = spoken;
    return { plugin: spoken, response: this.#proof(spoken) };
  }

  /**
   * The answer to a server's packet of the login, or undefined where only its next one is awaited.
   * @throws {SluiceError} where the account's plugin is none of ours
   * @throws {ProtocolError}
   */
  next(payload: Uint8Array): Uint8Array | undefined {
    if (payload[0] === Head.EOF) {
      const request = decodeAuthSwitch(payload);
      this.#nonce = request.authData.subarray(0, NONCE_LENGTH);
      this.#plugin = request.plugin;
      return this.#proof(request.plugin);
    }
    const data = decodeAuthMoreData(payload);
    if (this.#plugin !== SHA2) {
      throw new ProtocolError(`Cannot log in: expected no further data of plugin ${this.#plugin}`);
    }
    if (data.length === 1 && data[0] === FAST_OK) return undefined;
    if (data.length === 1 && data[0] === FULL_AUTHENTICATION) {
      return Uint8Array.of(REQUEST_PUBLIC_KEY);
    }
    return this.#encryptPassword(data);
  }

  #proof(plugin: string): Uint8Array {
    if (plugin === NATIVE) return nativeProof(this.#key, this.#nonce);
    if (plugin === SHA2 && this.#key.sha256 !== undefined) return sha2Proof(this.#key, this.#nonce);
    throw new SluiceError(
      "server_auth_plugin",
      plugin === SHA2
        ? "Authentication plugin 'caching_sha2_password' needs the password in clear, " +
          "and only its SHA1 is known"
        : `Authentication plugin '${plugin}' is not supported, use caching_sha2_password or ` +
          "mysql_native_password",
    );
  }

  #encryptPassword(publicKey: Uint8Array): Uint8Array {
    const text = encodeText(`${this.#key.password}\0`);
    try {
      return publicEncrypt(
        { key: decodeText(publicKey), padding: constants.RSA_PKCS1_OAEP_PADDING },
        xor(text, this.#nonce),
      );
    } catch (cause) {
      throw new ProtocolError("Cannot log in: expected an RSA public key in PEM form", { cause });
    }
  }
}
