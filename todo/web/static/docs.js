"use strict";

// Starts Swagger UI with this server's OpenAPI document.
window.addEventListener("load", () => {
  SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    docExpansion: "list",
    persistAuthorization: false,
    validatorUrl: null, // do not send the document to an external validator
  });
});
