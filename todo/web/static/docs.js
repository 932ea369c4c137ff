"use strict";

// Starts Swagger UI on this server's own description of its API.
window.addEventListener("load", () => {
  SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    docExpansion: "list",
    persistAuthorization: false,
    validatorUrl: null, // never send the description to an outside checker
  });
});
