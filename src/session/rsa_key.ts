/** The proxy's RSA key pair: read from a file, or made once, on first need. */
import { Buffer } from "node:buffer";
import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  privateDecrypt,
} from "node:crypto";
import { messageOf } from "../errors.ts";
import type { RsaKey } from "../protocol/auth.ts";
import { encodeText } from "../protocol/bytes.ts";

const MODULUS_BITS = 2048;

function rsaKey(privateKey: KeyObject): RsaKey {
  const pem = createPublicKey(privateKey).export({ type: "spki", format: "pem" });
  return {
    publicKey: encodeText(pem.toString()),
    decrypt: (data) =>
      privateDecrypt(
        { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING },
        Buffer.from(data),
      ),
  };
}

/** @throws naming the file where it holds no RSA private key in PEM form */
export async function loadRsaKey(file: string): Promise<RsaKey> {
  try {
    const key = createPrivateKey(await Deno.readTextFile(file));
    if (key.asymmetricKeyType !== "rsa") {
      throw new TypeError(`it is of type ${key.asymmetricKeyType}`);
    }
    return rsaKey(key);
  } catch (cause) {
    throw new Error(
      `Cannot read rsa_private_key_file ${file}: expected an RSA private key in PEM form, ` +
        messageOf(cause),
      { cause },
    );
  }
}

/** Makes a key off the main thread; takes a tenth of a second or so. */
export function makeRsaKey(): Promise<RsaKey> {
  return new Promise((resolve, reject) => {
    generateKeyPair("rsa", { modulusLength: MODULUS_BITS }, (error, _publicKey, privateKey) => {
      if (error) reject(error);
      else resolve(rsaKey(privateKey));
    });
  });
}
