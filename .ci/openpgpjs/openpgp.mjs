// usage: node openpgp.mjs decrypt KEY-FILE MESSAGE-FILE OUTPUT-FILE
//        node openpgp.mjs verify CERTIFICATE-FILE MESSAGE-FILE SIGNATURE-FILE
//
// Exits with 0 only if the message was opened whole, or the signature verified.
import { readFile, writeFile } from 'node:fs/promises';
import * as openpgp from 'openpgp';

const [, , verb, key, file, other] = process.argv;
const armoredKey = await readFile(key, 'utf8');

if (verb === 'decrypt') {
  const { data } = await openpgp.decrypt({
    message: await openpgp.readMessage({ binaryMessage: await readFile(file) }),
    decryptionKeys: await openpgp.readPrivateKey({ armoredKey }),
    format: 'binary',
  });
  await writeFile(other, data);
} else if (verb === 'verify') {
  const { signatures } = await openpgp.verify({
    message: await openpgp.createMessage({ binary: await readFile(file) }),
    signature: await openpgp.readSignature({ armoredSignature: await readFile(other, 'utf8') }),
    verificationKeys: await openpgp.readKey({ armoredKey }),
    // The archive's signatures outlive the day on which they are checked.
    date: null,
  });
  if (signatures.length !== 1) throw new Error(`${signatures.length} signatures`);
  await signatures[0].verified;
} else {
  throw new Error('decrypt or verify?');
}
