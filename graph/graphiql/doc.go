// Package graphiql serves GraphiQL, the page to try queries in, without reaching out to anything: its files are part of the
// program.
//
// # Design
//
// The files in assets are those of the npm packages graphiql 3.8.3 (the last that comes as one script), react 18.3.1 and
// react-dom 18.3.1; graphiql's script and style, which the package ships unminified under the name .min, were made smaller
// with esbuild --minify and are otherwise unchanged. Licences stand beside them (MIT; the fonts within the style are Roboto,
// Apache-2.0, and Fira Code, OFL-1.1). The page runs under a policy that lets it load these files, talk to this server and
// nothing else, and forbids eval.
package graphiql
