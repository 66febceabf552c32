// Uploads a file with tus-js-client, as its makers ship it: with retries, and
// with its own storage of what was begun, so that another run goes on. Then it
// fetches the answer at the upload's URL and prints it.
// node upload.mjs ENDPOINT TOKEN FILE STATE [CHUNK]
import { createReadStream } from 'node:fs'
import { FileUrlStorage, Upload } from 'tus-js-client'

const [endpoint, token, file, state, chunk] = process.argv.slice(2)
const headers = { Authorization: `Bearer ${token}` }
let retries = 0
let from = -1

const url = await new Promise((resolve, reject) => {
  const upload = new Upload(createReadStream(file), {
    endpoint,
    headers,
    chunkSize: chunk ? Number(chunk) : Infinity,
    retryDelays: Array.from({ length: 400 }, (_, i) => Math.min(100 * (i + 1), 1000)),
    metadata: { filename: 'goi.zip', filetype: 'application/zip' },
    urlStorage: new FileUrlStorage(state),
    onShouldRetry: (err) => {
      retries++
      const status = err.originalResponse ? err.originalResponse.getStatus() : 0
      return status < 400 || status >= 500 || status === 409 || status === 423
    },
    onProgress: (sent) => { if (from < 0) from = sent },
    onError: reject,
    onSuccess: () => resolve(upload.url),
  })
  upload.findPreviousUploads().then((previous) => {
    if (previous.length > 0) upload.resumeFromPreviousUpload(previous[0])
    upload.start()
  }, reject)
})

for (;;) {
  let res
  try {
    res = await fetch(url, { headers })
  } catch {
    await new Promise((done) => setTimeout(done, 200))
    continue
  }
  if (res.status === 202 || res.status >= 500) {
    await new Promise((done) => setTimeout(done, 200))
    continue
  }
  console.error(`retries ${retries}, first progress at ${from}, status ${res.status}`)
  console.log(await res.text())
  process.exit(res.status === 200 ? 0 : 1)
}
