package localpg

// Advice is tested for systems other than the one the tests run on.
var Advice = advice
