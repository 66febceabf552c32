package embedded

import (
	"bytes"
	"errors"
	"syscall"

	"github.com/gofiber/fiber/v3"
)

// retentionXML repairs one answer of versitygw: GET ?retention returns an
// element <ObjectLockRetention> where S3 has <Retention>, which clients such
// as minio-go do not understand.
func retentionXML(c fiber.Ctx) error {
	err := c.Next()
	if err != nil || c.Method() != fiber.MethodGet || !c.RequestCtx().QueryArgs().Has("retention") {
		return err
	}
	body := c.Response().Body()
	if bytes.Contains(body, []byte("<ObjectLockRetention")) {
		body = bytes.ReplaceAll(body, []byte("<ObjectLockRetention"), []byte("<Retention"))
		body = bytes.ReplaceAll(body, []byte("</ObjectLockRetention>"), []byte("</Retention>"))
		c.Response().SetBody(body)
	}
	return nil
}

func isNoSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
