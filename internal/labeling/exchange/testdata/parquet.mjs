// Prints the rows of a Parquet file as JSON Lines, read by hyparquet, a reader
// in JavaScript that has nothing in common with the library that wrote it.
const [, , library, name] = process.argv
const { asyncBufferFromFile, parquetReadObjects } = await import(library)
const rows = await parquetReadObjects({ file: await asyncBufferFromFile(name) })
for (const row of rows) console.log(JSON.stringify(row, (_, v) => (typeof v === 'bigint' ? Number(v) : v)))
