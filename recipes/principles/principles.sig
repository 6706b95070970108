{"key": "5NCsURChtkV02p03/PgFElNToMYgSBL/aoaOIeual0U=",
 "signature": "gYaMhC4VGdS9IMWmka041+KC8XOhE/flO+f6IDVe9ng0NRPmMs3u6q6Qm7eaXCySsNPACBBUv3Zktoqo6HGZAw=="}
